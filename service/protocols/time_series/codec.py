"""Codec of KServe's time series protocol: request bytes to response bytes."""

import time
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from artifact import Batch, ModelCard
from artifact.calendar import CalendarError, Frequency
from artifact.timestamps import TimeStamp, times_after
from service.inference.dates import check_frequency
from service.inference.errors import BadInput, LevelOutOfReach, PredictionOverflow
from service.inference.forecast import forecast
from service.inference.intervals import forecast_with_intervals
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.protocols.time_series.schemas import UNIVARIATE, ForecastRequest, SeriesInput

MEDIAN = 0.5
DECIMALS = 10  # rounding of a level computed from a quantile: 0.1 gives 80, not 80.00000000000001


class _Answer(NamedTuple):
    """Forecasts of all series.

    values: (rows, horizon). quantiles: (rows, horizon) by the quantile as text; None if none were requested.
    """

    values: Batch
    quantiles: dict[str, Batch] | None


def answer(lifecycle: Lifecycle, content: bytes, max_rows: int) -> bytes:
    """Response to a forecast request with one or more series. Raises NotJSON, BadInput, UnknownModel or NotReady."""
    request = ForecastRequest.parse(content)
    model = lifecycle.live(request.model)
    _check(model.card, request, max_rows)
    times = [_times(model.card, series, position, request) for position, series in enumerate(request.inputs)]
    long_enough = [k for k, series in enumerate(request.inputs) if len(series.series) >= model.card.window]
    found = _forecast(model, request, long_enough) if long_enough else None
    rows = {k: row for row, k in enumerate(long_enough)}
    outputs = [
        _too_short(model.card, series, k)
        if found is None or k not in rows
        else _output(series, found, rows[k], times[k])
        for k, series in enumerate(request.inputs)
    ]
    document = _head(request, model.card, outputs) | {"outputs": outputs, "usage": _usage(model.card, request, rows)}
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _check(card: ModelCard, request: ForecastRequest, max_rows: int) -> None:
    if len(request.inputs) > max_rows:
        raise BadInput(f"inputs: {len(request.inputs)} series; {max_rows} are the most in one request")
    if request.options.horizon > card.steps:
        raise BadInput(
            f"options.horizon: {card.name} forecasts {card.steps} values; {request.options.horizon} are beyond them"
        )


def _times(card: ModelCard, source: SeriesInput, position: int, request: ForecastRequest) -> list[str] | None:
    """Time stamp of each forecast value; None if the series has no time. Raises BadInput."""
    try:
        frequency = Frequency.parse(source.frequency)
        start = None if source.start_timestamp is None else TimeStamp.parse(source.start_timestamp)
        check_frequency(card, frequency)
        if start is None:
            return None
        first = len(source.series) - 1 + card.horizon
        return times_after(start, frequency, first, request.options.horizon)
    except CalendarError as error:
        raise BadInput(f"inputs.{position}: {error}") from None
    except BadInput as error:
        raise BadInput(f"inputs.{position}.frequency: {error.detail}") from None


def _forecast(model: LiveModel, request: ForecastRequest, chosen: Sequence[int]) -> _Answer:
    windows = np.array([request.inputs[k].series[-model.card.window :] for k in chosen], np.float32)
    horizon, quantiles = request.options.horizon, request.options.quantiles
    levels = sorted({level for level in map(_level, quantiles or []) if level > 0})
    try:
        if not levels:
            values = forecast(model, windows).values[:, :horizon]
            return _Answer(values, None if quantiles is None else {str(q): values for q in quantiles})
        (values, _), (lower, upper) = forecast_with_intervals(model, windows, levels)
    except PredictionOverflow as error:
        raise BadInput(f"inputs.{chosen[error.row]}.series: the forecast is beyond float32") from None
    except LevelOutOfReach as error:
        raise BadInput(f"options.quantiles: {_out_of_reach(model.card, levels[error.position])}") from None
    ends = {
        str(q): values if q == MEDIAN else (lower if q < MEDIAN else upper)[levels.index(_level(q))]
        for q in quantiles or []
    }
    return _Answer(values[:, :horizon], {text: found[:, :horizon] for text, found in ends.items()})


def _level(quantile: float) -> float:
    """Level, in percent, of the central interval that has the quantile as a bound; 0 for the median."""
    return round(abs(1 - 2 * quantile) * 100, DECIMALS)


def _out_of_reach(card: ModelCard, level: float) -> str:
    if card.intervals is None:
        return f"{card.name} has no prediction intervals; it knows the quantile 0.5 alone"
    lowest = round((1 - card.intervals.highest_level / 100) / 2, DECIMALS)
    asked = round((1 - level / 100) / 2, DECIMALS)
    return (
        f"{asked:g} and {1 - asked:g} are out of reach of {card.name}; it has those from {lowest:g} to {1 - lowest:g}"
    )


def _head(request: ForecastRequest, card: ModelCard, outputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    failed = [output["error"] for output in outputs if output["error"] is not None]
    status = "completed" if not failed else "partial" if len(failed) < len(outputs) else "error"
    return {
        "id": str(uuid.uuid4()),
        "created_at": int(time.time()),
        "status": status,
        "error": failed[0] if status == "error" else None,
        "model": request.model,
        "version": card.version,
    }


def _output(source: SeriesInput, found: _Answer, row: int, times: list[str] | None) -> dict[str, Any]:
    content = {
        "type": UNIVARIATE,
        "name": source.name,
        "mean_forecast": _row(found.values, row),
        "frequency": source.frequency,
        "start_timestamp": "" if times is None else times[0],
        "quantiles": None if found.quantiles is None else {q: _row(ends, row) for q, ends in found.quantiles.items()},
        "timestamps": times,
    }
    return _wrapped("completed", [content], None)


def _row(values: Batch, row: int) -> Batch:
    return np.ascontiguousarray(values[row])  # orjson writes contiguous arrays only


def _too_short(card: ModelCard, source: SeriesInput, position: int) -> dict[str, Any]:
    error = {
        "code": "400",
        "message": f"the series has {len(source.series)} values, and {card.name} needs its last {card.window}",
        "param": f"inputs.{position}.series",
        "type": "series_too_short",
    }
    return _wrapped("error", [], error)


def _wrapped(status: str, content: list[dict[str, Any]], error: dict[str, Any] | None) -> dict[str, Any]:
    identifier = str(uuid.uuid4())
    return {"type": "time_series_forecast", "id": identifier, "status": status, "content": content, "error": error}


def _usage(card: ModelCard, request: ForecastRequest, rows: dict[int, int]) -> dict[str, int]:
    """Number of values read and forecast, in the fields where KServe's language models count tokens."""
    read, forecast_values = len(rows) * card.window, len(rows) * request.options.horizon
    return {
        "prompt_tokens": read,
        "completion_tokens": forecast_values,
        "total_tokens": read + forecast_values,
    }
