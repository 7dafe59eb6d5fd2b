"""/forecast: every step, and intervals at the requested levels; the same in the other protocols."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from artifact import ModelCard, verify

WINDOW, STEPS = 24, 12
GOOD = [float(value) for value in range(100, 100 + WINDOW)]


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


def test_tensorflow_serving_has_a_row_of_steps_for_each_window(airline: httpx.Client, card: ModelCard) -> None:
    windows = [sample.window for sample in card.golden]
    forecasts = airline.post("/forecast/airline/batch", json={"windows": windows}).json()["forecasts"]

    assert airline.post("/v1/models/airline:predict", json={"instances": windows}).json() == {"predictions": forecasts}
    assert airline.post("/v1/models/airline:predict", json={"inputs": windows}).json() == {"outputs": forecasts}


@pytest.mark.parametrize(
    ("parameters", "outputs", "names"),
    [
        ({}, None, ["forecast"]),
        ({"levels": [80, 95]}, None, ["forecast", "lower_80", "upper_80", "lower_95", "upper_95"]),
        ({"levels": "80, 97.5"}, None, ["forecast", "lower_80", "upper_80", "lower_97.5", "upper_97.5"]),
        ({"levels": 80}, ["upper_80", "forecast"], ["upper_80", "forecast"]),
    ],
)
def test_the_open_inference_protocol_names_the_ends_of_intervals_as_outputs(
    airline: httpx.Client, parameters: dict[str, Any], outputs: list[str] | None, names: list[str]
) -> None:
    source = {"name": "window", "shape": [2, WINDOW], "datatype": "FP32", "data": GOOD * 2}
    wanted = {} if outputs is None else {"outputs": [{"name": name} for name in outputs]}

    answer = airline.post("/v2/models/airline/infer", json={"inputs": [source], "parameters": parameters} | wanted)

    found = answer.json()["outputs"]
    assert [output["name"] for output in found] == names
    assert all(output["shape"] == [2, STEPS] for output in found)


@pytest.mark.parametrize(
    ("parameters", "outputs", "words"),
    [
        ({"levels": [99]}, [], "parameters.levels: airline: a level of 99 is out of reach; the highest"),
        ({"levels": [0]}, [], "parameters.levels.0"),
        ({"levels": "many"}, [], "parameters.levels"),
        ({"levels": True}, [], "parameters.levels"),
        ({"levels": [80]}, ["lower_95"], "gives the outputs forecast, lower_80, upper_80"),
        ({}, ["lower_80"], "gives one output, 'forecast'"),
    ],
)
def test_the_open_inference_protocol_refuses_levels_and_outputs_that_there_are_not(
    airline: httpx.Client, parameters: dict[str, Any], outputs: list[str], words: str
) -> None:
    source = {"name": "window", "shape": [1, WINDOW], "datatype": "FP32", "data": GOOD}
    wanted = [{"name": name} for name in outputs]

    answer = airline.post(
        "/v2/models/airline/infer", json={"inputs": [source], "parameters": parameters, "outputs": wanted}
    )

    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_model_of_one_value_takes_value_and_values(airline: httpx.Client) -> None:
    single = airline.post("/forecast/mlp", json={"value": 5}).json()
    batch = airline.post("/forecast/mlp/batch", json={"values": [5, 6]}).json()

    assert single["forecast"] == [airline.post("/predict/mlp", json={"value": 5}).json()["prediction"]]
    assert np.shape(batch["forecasts"]) == (2, 1)


def test_a_kept_version_is_asked_with_its_number(airline: httpx.Client, card: ModelCard) -> None:
    body = {"window": card.golden[0].window}

    assert airline.post("/forecast/airline?version=1", json=body).json()["version"] == 1
    assert airline.post("/forecast/airline?version=7", json=body).status_code == 404


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
        ("airline", {"window": GOOD, "level": [80]}, [], "the keys are 'window', 'levels' and 'time'"),
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


@pytest.mark.parametrize(
    ("time", "first", "last"),
    [
        ("1960-12-01", "1961-01-01", "1961-12-01"),
        ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("2024-02-01T06:00:00+01:00[Europe/Berlin]", "2024-03-01T06:00:00+01:00[Europe/Berlin]", None),
    ],
)
def test_a_forecast_of_a_window_with_a_time_has_time_stamps(
    airline: httpx.Client, card: ModelCard, time: str, first: str, last: str | None
) -> None:
    answer = airline.post("/forecast/airline", json={"window": card.golden[0].window, "time": time}).json()

    assert list(answer) == ["model", "version", "forecast", "intervals", "extrapolated", "timestamps"]
    assert len(answer["timestamps"]) == STEPS
    assert answer["timestamps"][0] == first
    assert last is None or answer["timestamps"][-1] == last


@pytest.mark.parametrize(
    ("model", "body", "message"),
    [
        (
            "airline",
            {"window": GOOD, "time": "soon"},
            "'soon' is no time stamp of ISO 8601, such as 2024-01-31T12:00:00Z",
        ),
        (
            "airline",
            {"window": GOOD, "time": "1960-12-31"},
            "1960-12-31 is a Saturday and does not lie on the frequency",
        ),
        ("airline", {"window": GOOD, "time": 5}, "Input should be a valid string"),
        ("mlp", {"value": 5, "time": "1960-12-01"}, "mlp was trained on a series without times; leave the time out"),
    ],
)
def test_a_time_that_cannot_be_used_is_refused_by_its_place(
    airline: httpx.Client, model: str, body: dict[str, Any], message: str
) -> None:
    answer = airline.post(f"/forecast/{model}", json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "time"]
    assert message in answer.json()["detail"][0]["msg"]
