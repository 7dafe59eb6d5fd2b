"""KServe time series protocol: answers of the service are valid for KServe's own types."""

import httpx
from kserve.protocol.rest.timeseries.types import (
    ErrorResponse,
    ForecastOptions,
    ForecastRequest,
    ForecastResponse,
    Frequency,
    Status,
    TimeSeriesInput,
    TimeSeriesType,
)

from tests.repository import AIRLINE
from tests.server import Server


def request(**changes: object) -> str:
    source = TimeSeriesInput(
        type=TimeSeriesType.UNIVARIATE,
        name="passengers",
        series=AIRLINE,
        frequency=Frequency.MONTH,
        start_timestamp="1949-01-31T00:00:00Z",
    )
    options = ForecastOptions(horizon=2, quantiles=[0.1, 0.9])
    asked = ForecastRequest(
        model="airline", inputs=[source, source.model_copy(update={"series": [1.0]})], options=options
    )
    return asked.model_copy(update=changes).model_dump_json()


def test_forecasts_and_errors_of_single_series_are_read(dated: Server) -> None:
    answer = httpx.post(f"{dated.url}/v1/timeseries/forecast", content=request())

    read = ForecastResponse.model_validate_json(answer.content)
    assert read.status is Status.PARTIAL
    good, short = read.outputs
    assert (good.status, short.status) == (Status.COMPLETED, Status.ERROR)
    (found,) = good.content
    assert (found.start_timestamp, found.frequency) == ("1961-01-31T00:00:00Z", Frequency.MONTH)
    assert [
        low < mean < high
        for low, mean, high in zip(found.quantiles["0.1"], found.mean_forecast, found.quantiles["0.9"], strict=True)
    ] == [True, True]
    assert "needs its last 24" in short.error.message


def test_errors_of_whole_requests_are_read(dated: Server) -> None:
    answer = httpx.post(f"{dated.url}/v1/timeseries/forecast", content=request(model="nobody"))

    error = ErrorResponse.model_validate_json(answer.content).error
    assert (answer.status_code, error.code, error.type) == (404, "404", "NotFoundError")


def test_a_series_without_times_is_read_too(dated: Server) -> None:
    source = {"type": "univariate_time_series", "name": "x", "series": [5], "frequency": "day"}
    body = {"model": "mlp", "inputs": [source], "options": {"horizon": 1}}

    answer = httpx.post(f"{dated.url}/v1/timeseries/forecast", json=body)

    assert ForecastResponse.model_validate_json(answer.content).status is Status.COMPLETED
