"""From the bytes of a request to the bytes of its answer: parse, predict, write."""

import math

import numpy as np

from service.errors import InvalidRequest
from service.flat import read_flat
from service.lifecycle import LiveModel
from service.schemas import prediction_json, predictions_json, request_body


def answer_single(model: LiveModel, content: bytes) -> bytes:
    """Predict from one window. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, None).parse(content)
    window = body.content if isinstance(body.content, list) else [body.content]
    prediction = model.engine.predict(np.array([window], np.float32))[0]
    if not math.isfinite(prediction):
        raise _overflow([body.key()])
    low, high = card.input_range
    # Plain comparisons: on so few values each call to NumPy costs as much as all of them.
    return prediction_json(card, prediction, extrapolated=min(window) < low or max(window) > high)


def answer_batch(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Predict from up to `max_rows` windows. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, max_rows)
    windows = read_flat(content, body.key(), card.window, max_rows) if card.name == "lstm" else None
    if windows is None:
        windows = np.array(body.parse(content).content, np.float64).reshape(-1, card.window)
    predictions = model.engine.predict(windows.astype(np.float32))
    if not np.isfinite(predictions).all():
        raise _overflow([body.key(), int(np.argmin(np.isfinite(predictions)))])
    low, high = card.input_range
    extrapolated = np.flatnonzero(np.any((windows < low) | (windows > high), axis=1))
    return predictions_json(card, predictions, extrapolated)


def _overflow(place: list[str | int]) -> InvalidRequest:
    message = "The prediction for this input is beyond float32; send values nearer to the trained range"
    return InvalidRequest([{"type": "prediction_overflow", "loc": ["body", *place], "msg": message}])
