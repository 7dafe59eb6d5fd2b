"""Request and response schemas of KServe's time series protocol, from its `protocol/rest/timeseries/types.py`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from artifact import FLOAT32_OVERFLOW
from service.protocols.request import JSONRequest

MAX_QUANTILES = 100
Float32 = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-FLOAT32_OVERFLOW, lt=FLOAT32_OVERFLOW)]
Quantile = Annotated[float, Field(gt=0, lt=1)]
Status = Literal["completed", "error", "partial"]
UNIVARIATE: Literal["univariate_time_series"] = "univariate_time_series"


class _Request(JSONRequest):
    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})


class SeriesInput(_Request):
    """One series. Only its last values, as many as the model's window, are used."""

    type: Literal["univariate_time_series"] = UNIVARIATE
    name: str
    series: list[Float32] = Field(description="values, oldest first")
    frequency: str = Field(
        description="second, minute, hour, day, week, month, quarter, year, or pandas' alias, as 15min"
    )
    start_timestamp: str | None = Field(
        None, description="ISO 8601 time of the first value, with Z, an offset or [a zone] if it has one"
    )


class ForecastOptions(_Request):
    """Options of the forecast, the same for every series."""

    horizon: int = Field(ge=1, description="values to forecast; at most the model's steps")
    quantiles: list[Quantile] | None = Field(None, max_length=MAX_QUANTILES)


class ForecastRequest(_Request):
    """A request to forecast one or more series with one model. Unknown keys are ignored as protocol extensions."""

    model: str
    inputs: list[SeriesInput] = Field(min_length=1)
    options: ForecastOptions
    metadata: dict[str, Any] | None = None


class SeriesError(BaseModel):
    """The error of one series, or of the request."""

    code: str | None
    message: str
    param: str | None
    type: str


class ErrorResponse(BaseModel):
    """An error response: the request has no forecasts."""

    error: SeriesError


class SeriesForecast(BaseModel):
    """Forecast of one series."""

    type: Literal["univariate_time_series"]
    name: str
    mean_forecast: list[float]
    frequency: str
    start_timestamp: str = Field(description="time of the first forecast value; empty if the series had no time")
    quantiles: dict[str, list[float]] | None
    timestamps: list[str] | None = Field(description="time of each forecast value, in the form of the series' own")


class ForecastOutput(BaseModel):
    """The result for one series: its forecast or its error."""

    type: Literal["time_series_forecast"]
    id: str
    status: Literal["completed", "error"]
    content: list[SeriesForecast]
    error: SeriesError | None


class Usage(BaseModel):
    """Number of values read (prompt_tokens) and forecast (completion_tokens)."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ForecastResponse(BaseModel):
    """Forecasts: one output per input, in the same order."""

    id: str
    created_at: int
    status: Status
    error: SeriesError | None
    model: str
    version: int
    outputs: list[ForecastOutput]
    usage: Usage
