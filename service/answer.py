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
    batch = np.array([window], np.float32)
    prediction = model.engine.predict(batch)[0]
    if not math.isfinite(prediction):
        raise _overflow([body.key()])
    low, high = card.input_range
    # Compared as the float32 that the network sees; in plain Python, for NumPy costs more on so few values.
    seen = batch[0].tolist()
    extrapolated = min(seen) < low or max(seen) > high
    model.tally.add(1, extrapolated, prediction.item())
    return prediction_json(card, prediction, extrapolated=extrapolated)


def answer_batch(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Predict from up to `max_rows` windows. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, max_rows)
    windows = read_flat(content, body.key(), card.window, max_rows) if card.name == "lstm" else None
    if windows is None:
        windows = np.array(body.parse(content).content, np.float64).reshape(-1, card.window)
    batch = windows.astype(np.float32)
    predictions = model.engine.predict(batch)
    if not np.isfinite(predictions).all():
        raise _overflow([body.key(), int(np.argmin(np.isfinite(predictions)))])
    low, high = card.input_range
    extrapolated = np.flatnonzero(np.any((batch < np.float32(low)) | (batch > np.float32(high)), axis=1))
    model.tally.add(len(predictions), len(extrapolated), float(predictions.sum(dtype=np.float64)))
    return predictions_json(card, predictions, extrapolated)


def _overflow(place: list[str | int]) -> InvalidRequest:
    message = "The prediction for this input is beyond float32; send values nearer to the trained range"
    return InvalidRequest([{"type": "prediction_overflow", "loc": ["body", *place], "msg": message}])
