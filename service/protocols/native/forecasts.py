"""Codec of /forecast: request bytes to response bytes, with all steps and the intervals of the requested levels."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter

import numpy as np
import orjson

from artifact import Batch, ModelCard
from service.inference.dates import forecast_times
from service.inference.errors import BadInput, InvalidRequest, LevelOutOfReach, PredictionOverflow
from service.inference.forecast import Answering, Forecast, answer
from service.inference.intervals import with_intervals
from service.inference.loader import LiveModel
from service.protocols.native.body import forecast_batch_body, forecast_body
from service.protocols.native.codec import overflow
from service.protocols.native.flat import read_flat_forecast
from service.protocols.native.row import RowReader


def answer_forecast(model: LiveModel, content: bytes) -> bytes:
    """Response of /forecast/{name}: all steps for one row, with time stamps if it has a time.

    Raises NotJSON or InvalidRequest.
    """
    return answer(model, forecasting(model, content))


def forecasting(model: LiveModel, content: bytes) -> Answering[bytes]:
    """The steps of `answer_forecast`. Raises what it does."""
    card = model.card
    window, levels, time = _read_row(model, content)
    try:
        found, bounds = yield from _forecast(model, np.array([window], np.float32), levels)
    except PredictionOverflow:
        raise overflow([card.input.name]) from None
    timestamps = None if time is None else _timestamps(card, time)
    return _forecast_json(model, found, levels, bounds, timestamps)


def _read_row(model: LiveModel, content: bytes) -> tuple[list[float], list[float], str | None]:
    """The window, the levels and the time of a request with one row. Raises NotJSON or InvalidRequest."""
    read = model.once(RowReader.of).read_with_levels(content)
    if read is not None:
        return *read, None
    card = model.card
    body = forecast_body(card.input, card.window).parse(content)
    return [body.content] if card.input.is_single_value else body.content, body.levels, body.time


def _head(model: LiveModel) -> bytes:
    """The begin of a response, up to the forecast."""
    return orjson.dumps({"model": model.card.name, "version": model.card.version})[:-1] + b',"forecast":'


def _forecast_json(
    model: LiveModel, found: Forecast, levels: Sequence[float], bounds: Batch | None, timestamps: list[str] | None
) -> bytes:
    """Encode a `ForecastAnswer`; float32 in its shortest form. bounds: (2, levels, 1, steps)."""
    parts = (
        model.once(_head),
        orjson.dumps(found.values[0], option=orjson.OPT_SERIALIZE_NUMPY),
        b"{}" if bounds is None else _ends_json(levels, bounds),
        b"true" if len(found.extrapolated) else b"false",
    )
    response = b'%b%b,"intervals":%b,"extrapolated":%b}' % parts
    return response if timestamps is None else b'%b,"timestamps":%b}' % (response[:-1], orjson.dumps(timestamps))


def _ends_json(levels: Sequence[float], bounds: Batch) -> bytes:
    """The intervals of one row as a JSON object by level. bounds: (2, levels, 1, steps).

    One array is encoded and cut into its rows: an array each takes three times as long.
    """
    template, order = _template(tuple(levels))
    rows = orjson.dumps(bounds.reshape(-1, bounds.shape[3]), option=orjson.OPT_SERIALIZE_NUMPY)[2:-2].split(b"],[")
    return template % order(rows)


@lru_cache(maxsize=256)
def _template(levels: tuple[float, ...]) -> tuple[bytes, Callable[[list[bytes]], tuple[bytes, ...]]]:
    """JSON of intervals with a place for each end, and what puts the rows of all lower and all upper ends into order.

    A level that was requested twice has one place.
    """
    places = {level_text(level): place for place, level in enumerate(levels)}
    ends = [b'"%b":{"lower":[%%b],"upper":[%%b]}' % text.encode() for text in places]
    order = [row for place in places.values() for row in (place, place + len(levels))]
    return b"{%b}" % b",".join(ends), itemgetter(*order)


def answer_forecasts(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Response of /forecast/{name}/batch: all steps for up to `max_rows` rows. Raises NotJSON or InvalidRequest."""
    windows, levels, key = _read_batch(model.card, content, max_rows)
    try:
        found, bounds = answer(model, _forecast(model, windows, levels))
    except PredictionOverflow as error:
        raise overflow([key, error.row]) from None
    ends = () if bounds is None else zip(levels, *bounds, strict=True)
    response = {
        "model": model.card.name,
        "version": model.card.version,
        "forecasts": found.values,
        "intervals": {level_text(level): {"lower": lower, "upper": upper} for level, lower, upper in ends},
        "extrapolated": found.extrapolated,
    }
    return orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY)


@lru_cache(maxsize=256)
def level_text(level: float) -> str:
    """A level as a JSON key: "80" for 80 and 80.0, "99.5" for 99.5."""
    return str(int(level)) if level == int(level) else repr(level)


def _timestamps(card: ModelCard, last: str) -> list[str]:
    try:
        return forecast_times(card, last)
    except BadInput as error:
        raise InvalidRequest([{"type": "time", "loc": ["body", "time"], "msg": str(error.detail)}]) from None


def _forecast(model: LiveModel, windows: Batch, levels: Sequence[float]) -> Answering[tuple[Forecast, Batch | None]]:
    if not levels:
        return (yield windows), None
    try:
        return (yield from with_intervals(model, windows, levels))
    except LevelOutOfReach as error:
        place: list[str | int] = ["body", "levels", error.position]
        raise InvalidRequest([{"type": "level_out_of_reach", "loc": place, "msg": str(error.detail)}]) from None


def _read_batch(card: ModelCard, content: bytes, max_rows: int) -> tuple[Batch, Sequence[float], str]:
    """The rows, (rows, window), the levels, and the JSON key of the rows."""
    body = forecast_batch_body(card.input, card.window, max_rows)
    if not card.input.is_single_value:
        flat = read_flat_forecast(content, body.key(), card.window, max_rows)
        if flat is not None:
            return flat[0].astype(np.float32), flat[1], body.key()
    parsed = body.parse(content)
    windows = np.array(parsed.content, np.float64).reshape(-1, card.window)
    return windows.astype(np.float32), parsed.levels, body.key()
