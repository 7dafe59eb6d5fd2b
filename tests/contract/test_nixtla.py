"""HTTP requests of NixtlaClient, also compressed; what published networks do not support is refused with a message."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from backports import zstd

from tests.repository import AIRLINE
from tests.server import running

WINDOW, STEPS = 24, 12
CLIENT = {"nixtla-client-version": "0.9.0"}


def task(*series: list[float], freq: str = "MS", **more: Any) -> dict[str, Any]:
    chosen = series or (AIRLINE,)
    payload = {"y": [value for one in chosen for value in one], "sizes": [len(one) for one in chosen], "X": None}
    return {"series": payload, "model": "airline", "freq": freq, "finetune_steps": 0, "multivariate": False} | more


def ask(client: httpx.Client, path: str, **more: Any) -> dict[str, Any]:
    answer = client.post(f"/v2/{path}", json=task(**more))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_series_one_after_the_other_are_forecast_each_from_its_own_end(airline: httpx.Client) -> None:
    both = airline.post("/v2/forecast", json=task(AIRLINE, AIRLINE[:50], h=3, level=[80, 99.9 - 2])).json()
    ends = [airline.post("/v2/forecast", json=task(one, h=3)).json() for one in (AIRLINE, AIRLINE[:50])]

    assert both["mean"] == pytest.approx(ends[0]["mean"] + ends[1]["mean"], rel=1e-5)
    assert sorted(both["intervals"]) == ["hi-80", "hi-97.9", "lo-80", "lo-97.9"]
    assert all(len(values) == 6 for values in both["intervals"].values())
    assert ends[0]["intervals"] is ends[0]["weights_x"] is None


def test_a_forecast_of_past_rows_is_the_one_that_the_rows_before_it_get(airline: httpx.Client) -> None:
    back = ask(airline, "cross_validation", h=2, n_windows=3, step_size=4, level=[80])

    origins = [134, 138, 142]
    assert back["idxs"] == [row for origin in origins for row in (origin, origin + 1)]
    assert back["sizes"] == [6]
    first = airline.post("/v2/forecast", json=task(AIRLINE[:134], h=2, level=[80])).json()
    assert back["mean"][:2] == pytest.approx(first["mean"], rel=1e-5)
    assert back["intervals"]["lo-80"][:2] == pytest.approx(first["intervals"]["lo-80"], rel=1e-5)


def test_fitted_values_are_one_step_ahead_of_every_window(airline: httpx.Client) -> None:
    back = ask(airline, "cross_validation", h=1, n_windows=1, full_history=True)
    anomalies = ask(airline, "anomaly_detection", level=95)

    assert back["sizes"] == [len(AIRLINE) - WINDOW]
    assert back["idxs"] == list(range(WINDOW, len(AIRLINE)))
    assert anomalies["mean"] == back["mean"]
    outside = [
        not low <= value <= high
        for value, low, high in zip(
            AIRLINE[WINDOW:], anomalies["intervals"]["lo-95"], anomalies["intervals"]["hi-95"], strict=True
        )
    ]
    assert anomalies["anomaly"] == outside


def test_the_last_rows_are_flagged_by_forecasts_that_have_not_seen_them(airline: httpx.Client) -> None:
    strange = [*AIRLINE[:-2], 2000.0, AIRLINE[-1]]

    found = airline.post("/v2/online_anomaly_detection", json=task(AIRLINE, strange, h=4, detection_size=6, level=95))

    answer = found.json()
    assert answer["sizes"] == [6, 6]
    assert answer["idxs"] == [*range(138, 144), *range(282, 288)]
    assert answer["anomaly"][10]
    assert answer["anomaly_score"][10] > 10
    assert answer["mean"][:4] == pytest.approx(airline_forecast(airline, AIRLINE[:138], 4), rel=1e-5)
    assert answer["mean"][4:6] == pytest.approx(airline_forecast(airline, AIRLINE[:142], 2), rel=1e-5)


def airline_forecast(client: httpx.Client, series: list[float], h: int) -> list[float]:
    mean: list[float] = client.post("/v2/forecast", json=task(series, h=h)).json()["mean"]
    return mean


def test_the_client_learns_window_and_steps_and_the_names_of_the_models(airline: httpx.Client) -> None:
    assert airline.get("/model_params?model=airline&freq=MS").json() == {"detail": {"input_size": 24, "horizon": 12}}
    assert airline.get("/model_params?model=nobody&freq=MS").status_code == 404
    assert airline.get("/validate_api_key").json()["message"] == "success"
    names = [{"name": "airline"}, {"name": "lstm"}, {"name": "mlp"}]
    assert airline.get("/v2/models", headers=CLIENT).json() == {"models": names}


def test_everybody_else_gets_the_index_of_triton_s_repository_under_the_same_path(airline: httpx.Client) -> None:
    entries = airline.get("/v2/models").json()

    assert entries == airline.post("/v2/repository/index").json()
    assert entries[0] == {"name": "airline", "version": "1", "state": "READY", "reason": ""}


def test_a_body_compressed_with_zstandard_is_read(airline: httpx.Client) -> None:
    content = zstd.compress(orjson.dumps(task(h=3)))

    answer = airline.post("/v2/forecast", content=content, headers={"content-encoding": "zstd"})

    assert answer.json() == airline.post("/v2/forecast", json=task(h=3)).json()


@pytest.mark.parametrize(
    ("content", "encoding", "status", "words"),
    [
        (zstd.compress(b"{}")[:-1], "zstd", 400, "cut short"),
        (zstd.compress(b"{}") + b"x", "zstd", 400, "continues after its end"),
        (b"{}", "zstd", 400, "is not zstd"),
        (zstd.compress(b" " * (16 * 2**20 + 1)), "zstd", 413, "when it is decompressed"),
        (b"{}", "gzip", 415, "must be zstd"),
        (b"{", "identity", 400, "not JSON"),
    ],
)
def test_a_damaged_or_oversized_body_is_refused(
    airline: httpx.Client, content: bytes, encoding: str, status: int, words: str
) -> None:
    answer = airline.post("/v2/forecast", content=content, headers={"content-encoding": encoding})

    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "changes", "words"),
    [
        ("forecast", {"finetune_steps": 5}, "train with `python -m training`"),
        ("forecast", {"finetuned_model_id": "x"}, "name a published model"),
        ("forecast", {"multivariate": True}, "every series is forecast for itself"),
        ("forecast", {"feature_contributions": True}, "have no features"),
        ("forecast", {"model_parameters": {"a": 1}}, "model_parameters"),
        ("forecast", {"h": 13}, "airline forecasts 12 values; 13 are beyond them"),
        ("forecast", {"level": [99]}, "the highest that can be had is 98.36"),
        ("forecast", {"freq": "D"}, "of the frequency 'MS', not 'D'"),
        ("forecast", {"freq": "never"}, "unknown frequency 'never'"),
        ("forecast", {"model": "lstm"}, "forecasts from 0 rows after its window on"),
        ("cross_validation", {"n_windows": 2**31}, "are needed"),
        ("cross_validation", {"n_windows": 200}, "are needed"),
        ("online_anomaly_detection", {"detection_size": 2**31}, "are needed"),
        ("online_anomaly_detection", {"detection_size": 3, "step_size": 2}, "step_size: 2 is more than h, 1"),
        (
            "online_anomaly_detection",
            {"detection_size": 3, "threshold_method": "multivariate"},
            "use 'univariate'",
        ),
        ("anomaly_detection", {"level": 99}, "the highest that can be had is 98.36"),
    ],
)
def test_what_no_published_network_can_do_is_refused_in_words(
    airline: httpx.Client, path: str, changes: dict[str, Any], words: str
) -> None:
    answer = airline.post(f"/v2/{path}", json=task() | {"h": 1} | changes)

    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ({"y": AIRLINE, "sizes": [len(AIRLINE) + 1]}, "add up to 145, but y has 144"),
        ({"y": AIRLINE[:10], "sizes": [10]}, "series 0 has 10 values; 24 are needed"),
        ({"y": [*AIRLINE, *AIRLINE[:10]], "sizes": [144, 10]}, "series 1 has 10 values; 24 are needed"),
        ({"y": [None, *AIRLINE], "sizes": [145]}, "value 0 is missing"),
        ({"y": AIRLINE, "sizes": [144], "X": [AIRLINE]}, "exogenous features are not supported"),
        ({"y": [3e38, -3e38] * 12, "sizes": [24]}, "beyond float32"),
        ({"y": [], "sizes": []}, "series.y"),
    ],
)
def test_series_that_cannot_be_forecast_are_refused_in_words(
    airline: httpx.Client, series: dict[str, Any], words: str
) -> None:
    answer = airline.post("/v2/forecast", json=task(h=1) | {"series": series})

    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]


@pytest.mark.parametrize("path", ["forecast", "cross_validation", "anomaly_detection", "online_anomaly_detection"])
def test_sizes_that_are_not_those_of_the_series_cost_nothing(airline: httpx.Client, path: str) -> None:
    more = {"h": 1, "n_windows": 1, "full_history": True, "detection_size": 1}
    series = {"y": AIRLINE, "sizes": [2**31 - 1] * 50}

    answer = airline.post(f"/v2/{path}", json=task() | more | {"series": series})

    assert answer.status_code == 400
    assert "but y has 144 values" in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["finetune", "forecast/async", "simulate/async", "explain/async", "cross_validation/async"]
)
def test_jobs_and_training_are_refused_in_words(airline: httpx.Client, path: str) -> None:
    answer = airline.post(f"/v2/{path}", json=task(h=1))

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 40


def test_more_windows_than_rows_of_a_batch_are_refused(airline_models: Path, tmp_path: Path) -> None:
    with running(tmp_path / "log", "--max-batch-rows", "10", models_dir=airline_models) as server:
        answer = httpx.post(f"{server.url}/v2/anomaly_detection", json=task(level=80))
        series = {"name": "x", "series": AIRLINE, "frequency": "M"}
        request = {"model": "airline", "inputs": [series] * 11, "options": {"horizon": 1}}
        other = httpx.post(f"{server.url}/v1/timeseries/forecast", json=request)

    assert answer.status_code == other.status_code == 400
    assert answer.json()["error"] == "120 windows are asked for; 10 are the most in one request"
    assert "10 are the most" in other.json()["error"]["message"]
