"""/forecast: every step and the intervals of the levels that are asked for; the same numbers on every route."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import ModelCard, verify
from tests.server import Server

WINDOW, STEPS = 24, 12
NUMBERS = st.floats(-1e6, 1e6, width=32)
Ends = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def card(airline_models: Path) -> ModelCard:
    return verify(airline_models, "airline", 1).card


def test_every_step_is_forecast_and_bounded_at_the_levels_that_are_asked_for(
    airline: httpx.Client, card: ModelCard
) -> None:
    sample = card.golden[0]

    answer = airline.post("/forecast/airline", json={"window": sample.window, "levels": [80, 95, 97.5]}).json()

    assert list(answer) == ["model", "version", "forecast", "intervals", "extrapolated"]
    assert (answer["model"], answer["version"], answer["extrapolated"]) == ("airline", 1, False)
    assert answer["forecast"] == pytest.approx(sample.forecast, rel=1e-4)
    assert list(answer["intervals"]) == ["80", "95", "97.5"]
    for ends in answer["intervals"].values():
        assert list(ends) == ["lower", "upper"]
        assert len(ends["lower"]) == len(ends["upper"]) == STEPS


def test_a_batch_has_a_row_of_steps_for_each_window(airline: httpx.Client, card: ModelCard) -> None:
    windows = [card.golden[0].window, [1e3 * value for value in card.golden[1].window]]

    answer = airline.post("/forecast/airline/batch", json={"windows": windows, "levels": [95]}).json()

    assert list(answer) == ["model", "version", "forecasts", "intervals", "extrapolated"]
    assert np.shape(answer["forecasts"]) == (2, STEPS)
    assert np.shape(answer["intervals"]["95"]["lower"]) == np.shape(answer["intervals"]["95"]["upper"]) == (2, STEPS)
    assert answer["extrapolated"] == [1]


def test_without_levels_there_are_no_intervals(airline: httpx.Client, card: ModelCard) -> None:
    single = airline.post("/forecast/airline", json={"window": card.golden[0].window}).json()
    batch = airline.post("/forecast/airline/batch", json={"windows": [card.golden[0].window], "levels": []}).json()

    assert single["intervals"] == batch["intervals"] == {}
    assert [single["forecast"]] == batch["forecasts"]


def test_predict_stays_the_first_step(airline: httpx.Client, card: ModelCard) -> None:
    window = card.golden[0].window
    forecast = airline.post("/forecast/airline", json={"window": window}).json()["forecast"]

    answer = airline.post("/predict/airline", json={"window": window}).text

    assert answer == f'{{"model":"airline","version":1,"prediction":{forecast[0]},"extrapolated":false}}'


def test_a_model_of_one_value_takes_value_and_values(airline: httpx.Client) -> None:
    single = airline.post("/forecast/mlp", json={"value": 5}).json()
    batch = airline.post("/forecast/mlp/batch", json={"values": [5, 6]}).json()

    assert single["forecast"] == [airline.post("/predict/mlp", json={"value": 5}).json()["prediction"]]
    assert np.shape(batch["forecasts"]) == (2, 1)


def test_a_kept_version_is_asked_with_its_number(airline: httpx.Client, card: ModelCard) -> None:
    body = {"window": card.golden[0].window}

    assert airline.post("/forecast/airline?version=1", json=body).json()["version"] == 1
    assert airline.post("/forecast/airline?version=7", json=body).status_code == 404


GOOD = [float(value) for value in range(100, 100 + WINDOW)]


@pytest.mark.parametrize(
    ("path", "body", "place", "words"),
    [
        ("airline", {"window": GOOD, "levels": [80, 99]}, ["levels", 1], "level of 99 is out of reach; the highest"),
        ("airline/batch", {"windows": [GOOD], "levels": [99]}, ["levels", 0], "98.36"),
        ("lstm", {"window": [1, 2, 3, 4, 5], "levels": [80]}, ["levels", 0], "has no prediction intervals"),
        ("airline", {"window": GOOD, "levels": [0]}, ["levels", 0], "greater than 0"),
        ("airline", {"window": GOOD, "levels": [100]}, ["levels", 0], "less than 100"),
        ("airline", {"window": GOOD, "levels": ["80"]}, ["levels", 0], "valid number"),
        ("airline", {"window": GOOD, "levels": 80}, ["levels"], "valid array"),
        ("airline", {"window": GOOD, "levels": list(range(1, 30))}, ["levels"], "at most 20"),
        ("airline/batch", {"windows": [GOOD], "levels": [0]}, ["levels", 0], "greater than 0"),
        ("airline", {"window": GOOD, "level": [80]}, [], "the keys are 'window' and 'levels'"),
        ("airline", {"window": GOOD[1:]}, ["window"], "at least 24"),
        ("airline", {"levels": [80]}, ["window"], "Field required"),
        ("airline", {"window": [3e38, -3e38] * 12}, ["window"], "beyond float32"),
        ("airline/batch", {"windows": [GOOD, [3e38, -3e38] * 12]}, ["windows", 1], "beyond float32"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    airline: httpx.Client, path: str, body: dict[str, Any], place: list[Any], words: str
) -> None:
    answer = airline.post(f"/forecast/{path}", json=body)

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", *place]
    assert words in problem["msg"]


def test_an_unknown_model_and_what_is_no_json_are_refused(airline: httpx.Client) -> None:
    assert airline.post("/forecast/nobody", json={"window": GOOD}).status_code == 404
    content = {"content-type": "application/json"}
    assert airline.post("/forecast/airline", content=b"{", headers=content).status_code == 400
    assert airline.get("/forecast/airline").status_code == 405


def test_an_answer_of_too_many_numbers_is_refused_before_anything_is_forecast(airline: httpx.Client) -> None:
    body = {"windows": [GOOD] * 20_000, "levels": list(range(1, 21))}

    answer = airline.post("/forecast/airline/batch", json=body)

    assert answer.status_code == 400
    assert "ask for fewer rows or levels" in answer.json()["detail"]


def test_levels_come_before_the_windows_or_after_them(airline: httpx.Client) -> None:
    after = airline.post("/forecast/airline/batch", json={"windows": [GOOD] * 3, "levels": [80]})
    before = airline.post("/forecast/airline/batch", json={"levels": [80], "windows": [GOOD] * 3})
    spaced = airline.post(
        "/forecast/airline/batch",
        content=json.dumps({"windows": [GOOD] * 3, "levels": [80]}, indent=3),
        headers={"content-type": "application/json"},
    )

    assert after.content == before.content == spaced.content


# Each route takes windows and levels, and gives (rows, steps) and the ends by level.


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
    assert all(answer == answers[1] for answer in answers[2:])  # a batch of several rows differs in its last digits
    assert answers[0][0] == [pytest.approx(row, rel=1e-4, abs=1) for row in answers[1][0]]
