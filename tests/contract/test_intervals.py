"""Intervals on every route: they contain the forecast, never cross, widen with the level, and are the same numbers."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server import Server

WINDOW, STEPS = 24, 12
NUMBERS = st.floats(-1e6, 1e6, width=32)
Ends = dict[str, dict[str, Any]]

# Each function takes windows and levels, and returns (rows, steps) and the bounds by level.


def native(client: httpx.Client, windows: list[list[float]], levels: list[float]) -> tuple[Any, Ends]:
    answers = [client.post("/forecast/airline", json={"window": window, "levels": levels}).json() for window in windows]
    ends = {
        level: {end: [answer["intervals"][level][end] for answer in answers] for end in ("lower", "upper")}
        for level in answers[0]["intervals"]
    }
    return [answer["forecast"] for answer in answers], ends


def native_batch(client: httpx.Client, windows: list[list[float]], levels: list[float]) -> tuple[Any, Ends]:
    answer = client.post("/forecast/airline/batch", json={"windows": windows, "levels": levels}).json()
    return answer["forecasts"], answer["intervals"]


def open_inference(client: httpx.Client, windows: list[list[float]], levels: list[float]) -> tuple[Any, Ends]:
    source = {"name": "window", "shape": [len(windows), WINDOW], "datatype": "FP32", "data": windows}
    answer = client.post("/v2/models/airline/infer", json={"inputs": [source], "parameters": {"levels": levels}}).json()
    found = {output["name"]: np.reshape(output["data"], output["shape"]).tolist() for output in answer["outputs"]}
    texts = [name.removeprefix("lower_") for name in found if name.startswith("lower_")]
    return found["forecast"], {t: {"lower": found[f"lower_{t}"], "upper": found[f"upper_{t}"]} for t in texts}


def open_inference_binary(client: httpx.Client, windows: list[list[float]], levels: list[float]) -> tuple[Any, Ends]:
    source = {"name": "window", "shape": [len(windows), WINDOW], "datatype": "FP32", "data": windows}
    parameters = {"levels": ",".join(map(str, levels)), "binary_data_output": True}
    answer = client.post("/v2/models/airline/infer", json={"inputs": [source], "parameters": parameters})
    length = int(answer.headers["inference-header-content-length"])
    rest, found = answer.content[length:], {}
    for output in json.loads(answer.content[:length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        values = np.frombuffer(rest[:size], "<f4").reshape(output["shape"])
        found[output["name"]] = [[float(str(value)) for value in row] for row in values]
        rest = rest[size:]
    texts = [name.removeprefix("lower_") for name in found if name.startswith("lower_")]
    return found["forecast"], {t: {"lower": found[f"lower_{t}"], "upper": found[f"upper_{t}"]} for t in texts}


def kserve(client: httpx.Client, windows: list[list[float]], levels: list[float]) -> tuple[Any, Ends]:
    quantiles = {level: ((100 - level) / 200, (100 + level) / 200) for level in levels}
    body = {
        "model": "airline",
        "inputs": [{"name": "x", "series": window, "frequency": "month"} for window in windows],
        "options": {"horizon": STEPS, "quantiles": [q for pair in quantiles.values() for q in pair]},
    }
    outputs = client.post("/v1/timeseries/forecast", json=body).json()["outputs"]
    contents = [output["content"][0] for output in outputs]
    ends = {
        str(level): {
            "lower": [content["quantiles"][str(low)] for content in contents],
            "upper": [content["quantiles"][str(high)] for content in contents],
        }
        for level, (low, high) in quantiles.items()
    }
    return [content["mean_forecast"] for content in contents], ends


def nixtla(client: httpx.Client, windows: list[list[float]], levels: list[float]) -> tuple[Any, Ends]:
    series = {"y": [value for window in windows for value in window], "sizes": [WINDOW] * len(windows)}
    body = {"series": series, "model": "airline", "h": STEPS, "freq": "MS", "level": levels}
    answer = client.post("/v2/forecast", json=body).json()

    def rows(values: list[float]) -> Any:
        return np.reshape(values, (len(windows), STEPS)).tolist()

    texts = [name.removeprefix("lo-") for name in answer["intervals"] or {} if name.startswith("lo-")]
    ends = answer["intervals"]
    return rows(answer["mean"]), {t: {"lower": rows(ends[f"lo-{t}"]), "upper": rows(ends[f"hi-{t}"])} for t in texts}


ROUTES: list[Callable[..., tuple[Any, Ends]]] = [
    native,
    native_batch,
    open_inference,
    open_inference_binary,
    kserve,
    nixtla,
]


@settings(max_examples=15, deadline=None)
@given(
    windows=st.lists(st.lists(NUMBERS, min_size=WINDOW, max_size=WINDOW), min_size=1, max_size=3),
    levels=st.lists(st.integers(1, 98), min_size=1, max_size=3, unique=True).map(sorted),
)
def test_on_every_route_intervals_hold_the_forecast_never_cross_and_are_the_same(
    airline_server: Server, windows: list[list[float]], levels: list[float]
) -> None:
    windows = [[float(str(np.float32(value))) for value in window] for window in windows]
    with httpx.Client(base_url=airline_server.url) as client:
        answers = [route(client, windows, levels) for route in ROUTES]

    for values, ends in answers:
        lower = np.array([ends[str(level)]["lower"] for level in levels])
        upper = np.array([ends[str(level)]["upper"] for level in levels])
        assert (lower <= np.array(values)).all()
        assert (np.array(values) <= upper).all()
        assert (lower[1:] <= lower[:-1]).all()
        assert (upper[1:] >= upper[:-1]).all()
    assert all(answer == answers[1] for answer in answers[2:])  # the last digits of a batch of several rows differ
    assert answers[0][0] == [pytest.approx(row, rel=1e-4, abs=1) for row in answers[1][0]]
