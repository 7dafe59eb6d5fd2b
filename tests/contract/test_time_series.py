"""KServe time series protocol: any model, calendar arithmetic, errors per series, ordered quantiles."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.repository import AIRLINE

WINDOW, STEPS = 24, 12
URL = "/v1/timeseries/forecast"


def series(**changes: Any) -> dict[str, Any]:
    start = {"frequency": "month", "start_timestamp": "1949-01-01T00:00:00Z"}
    return {"type": "univariate_time_series", "name": "passengers", "series": AIRLINE} | start | changes


def body(*inputs: dict[str, Any], model: str = "airline", **options: Any) -> dict[str, Any]:
    return {"model": model, "inputs": list(inputs), "options": {"horizon": 3} | options}


def content(client: httpx.Client, request: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(URL, json=request)
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert output["status"] == "completed"
    found: dict[str, Any] = output["content"][0]
    return found


def test_a_series_is_forecast_with_a_time_for_every_value(airline: httpx.Client) -> None:
    answer = airline.post(URL, json=body(series(), quantiles=[0.1, 0.5, 0.9], horizon=STEPS)).json()

    assert (answer["status"], answer["error"], answer["model"], answer["version"]) == ("completed", None, "airline", 1)
    assert answer["usage"] == {"prompt_tokens": WINDOW, "completion_tokens": STEPS, "total_tokens": WINDOW + STEPS}
    (output,) = answer["outputs"]
    assert (output["type"], output["status"], output["error"]) == ("time_series_forecast", "completed", None)
    (found,) = output["content"]
    assert (found["type"], found["name"], found["frequency"]) == ("univariate_time_series", "passengers", "month")
    assert found["start_timestamp"] == found["timestamps"][0] == "1961-01-01T00:00:00Z"
    assert found["timestamps"][-1] == "1961-12-01T00:00:00Z"
    assert found["quantiles"]["0.5"] == found["mean_forecast"]
    assert (np.diff([found["quantiles"][q] for q in ("0.1", "0.5", "0.9")], axis=0) >= 0).all()


def test_of_a_longer_series_the_end_is_used_and_a_shorter_one_is_an_error_for_itself_alone(
    airline: httpx.Client,
) -> None:
    inputs = [
        series(),
        series(name="short", series=AIRLINE[:5]),
        series(series=AIRLINE[-WINDOW:], start_timestamp="1959-01-01T00:00:00Z"),
    ]

    answer = airline.post(URL, json=body(*inputs)).json()

    assert answer["status"] == "partial"
    assert [output["status"] for output in answer["outputs"]] == ["completed", "error", "completed"]
    whole, short, end = answer["outputs"]
    assert whole["content"] == end["content"]
    assert short["content"] == []
    assert short["error"]["message"] == "the series has 5 values, and airline needs its last 24"
    assert short["error"]["param"] == "inputs.1.series"


def test_a_request_of_short_series_alone_is_an_error_as_a_whole(airline: httpx.Client) -> None:
    answer = airline.post(URL, json=body(series(series=[]))).json()

    assert answer["status"] == "error"
    assert answer["error"] == answer["outputs"][0]["error"]


def test_what_is_optional_may_be_left_out(airline: httpx.Client) -> None:
    found = content(airline, body({"name": "x", "series": AIRLINE, "frequency": "M"}))

    assert found["quantiles"] is None
    assert found["timestamps"] is None
    assert found["start_timestamp"] == ""
    assert len(found["mean_forecast"]) == 3


def test_extensions_of_the_protocol_are_ignored(airline: httpx.Client) -> None:
    request = body(series(unit="thousand"), temperature=1) | {"metadata": {"user": 7}, "priority": "high"}

    assert content(airline, request) == content(airline, body(series()))


@pytest.mark.parametrize(("model", "values"), [("lstm", [1, 2, 3, 4, 5, 6]), ("mlp", [5])])
def test_any_published_model_answers_at_the_time_that_its_horizon_says(
    airline: httpx.Client, model: str, values: list[float]
) -> None:
    request = body(series(series=values, frequency="D", start_timestamp="2024-02-28"), model=model, horizon=1)

    found = content(airline, request)

    # These two predict another series at the time of the window's last value: their horizon is 0.
    last = {"lstm": "2024-03-04", "mlp": "2024-02-28"}[model]
    assert found["timestamps"] == [last]


@pytest.mark.parametrize(
    ("frequency", "start", "first"),
    [
        ("month", "1949-01-31", ["1961-01-31", "1961-02-28", "1961-03-31"]),
        ("M", "1949-01-31T12:00:00+02:00", ["1961-01-31T12:00:00+02:00"]),
        ("ME", "1949-01-31", ["1961-01-31", "1961-02-28"]),
        ("MS", "1949-01-01", ["1961-01-01", "1961-02-01"]),
        ("month", "2012-02-15T06:00:00[Europe/Berlin]", ["2024-02-15T06:00:00+01:00[Europe/Berlin]"]),
    ],
)
def test_calendars_are_right(airline: httpx.Client, frequency: str, start: str, first: list[str]) -> None:
    found = content(airline, body(series(frequency=frequency, start_timestamp=start)))

    assert found["timestamps"][: len(first)] == first


@pytest.mark.parametrize(
    ("frequency", "start", "expected"),
    [
        ("hour", "2024-03-30T22:00:00+01:00", "2024-03-31T03:00:00+01:00"),  # Berlin's clocks are put forward at 2:00
        ("hour", "2024-03-30T22:00:00[Europe/Berlin]", "2024-03-31T04:00:00+02:00[Europe/Berlin]"),
        ("day", "2024-02-24", "2024-02-29"),
        ("quarter", "2022-11-30", "2024-02-29"),
        ("Y", "2019-02-28", "2024-02-29"),
        ("15min", "2024-01-01T23:00:00Z", "2024-01-02T00:15:00Z"),
        ("B", "2024-02-23", "2024-03-01"),
    ],
)
def test_a_model_without_a_frequency_answers_at_any(
    airline: httpx.Client, frequency: str, start: str, expected: str
) -> None:
    values = [1, 2, 3, 4, 5, 6]
    request = body(series(series=values, frequency=frequency, start_timestamp=start), model="lstm", horizon=1)

    assert content(airline, request)["timestamps"] == [expected]


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        (body(series(), horizon=13), "airline forecasts 12 values; 13 are beyond them"),
        (body(series(), horizon=0), "options.horizon"),
        (body(series(frequency="day")), "of the frequency 'MS', not 'day'"),
        (body(series(frequency="fortnight")), "unknown frequency 'fortnight'"),
        (body(series(start_timestamp="yesterday")), "inputs.0: 'yesterday' is no time stamp"),
        (body(series(frequency="MS", start_timestamp="1949-01-02")), "does not lie on the frequency 'MS'"),
        (body(series(), series(start_timestamp="9990-01-01")), "inputs.1: "),
        (body(series(), quantiles=[0.005]), "0.005 and 0.995 are out of reach of airline; it has those from 0.0082"),
        (body(series(), quantiles=[1]), "options.quantiles.0"),
        (body(series(series=[5]), model="mlp", quantiles=[0.1], horizon=1), "it knows the quantile 0.5 alone"),
        (body(series(type="multivariate_time_series")), "inputs.0.type"),
        (body(series(series=[[1.0]] * WINDOW)), "inputs.0.series.0"),
        (body(series(series=["1"] * WINDOW)), "inputs.0.series.0"),
        (body(series(series=[3e38, -3e38] * 12)), "inputs.0.series: the forecast is beyond float32"),
        (body(), "inputs"),
        ({"model": "airline"}, "inputs"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_words(
    airline: httpx.Client, request_body: dict[str, Any], words: str
) -> None:
    answer = airline.post(URL, json=request_body)

    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert words in error["message"]
    assert (error["code"], error["type"]) == ("400", "BadRequestError")


def test_errors_have_the_protocol_s_form_whoever_answers_them(airline: httpx.Client) -> None:
    answers = {
        404: airline.post(URL, json=body(series(), model="nobody")),
        415: airline.post(URL, content=b"x", headers={"content-encoding": "gzip"}),
        413: airline.post(URL, content=b" " * (16 * 2**20 + 1)),
        405: airline.get(URL),
        400: airline.post(URL, content=b"{"),
    }

    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == str(status)
        assert answer.json()["error"]["type"].endswith("Error")


def test_the_models_are_listed_by_name(airline: httpx.Client) -> None:
    assert airline.get("/v1/timeseries/models").json() == ["airline", "lstm", "mlp"]
    assert airline.post("/v1/timeseries/models").status_code == 405


def test_tensorflow_serving_still_has_the_rest_of_v1(airline: httpx.Client) -> None:
    answer = airline.get("/v1/timeseries/else")

    assert answer.status_code == 400
