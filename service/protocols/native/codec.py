"""The native protocol's codec: bytes of a request to bytes of its answer."""

import numpy as np

from service.inference.errors import InvalidRequest, PredictionOverflow
from service.inference.forecast import forecast
from service.inference.lifecycle import LiveModel
from service.protocols.native.flat import read_flat
from service.protocols.native.schemas import prediction_json, predictions_json, request_body


def answer_single(model: LiveModel, content: bytes) -> bytes:
    """Predict from one window. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, None).parse(content)
    window = body.content if isinstance(body.content, list) else [body.content]
    try:
        values, extrapolated = forecast(model, np.array([window], np.float32))
    except PredictionOverflow:
        raise _overflow([body.key()]) from None
    return prediction_json(card, values[0, 0], extrapolated=len(extrapolated) > 0)


def answer_batch(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Predict from up to `max_rows` windows. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, max_rows)
    windows = read_flat(content, body.key(), card.window, max_rows) if card.name == "lstm" else None
    if windows is None:
        windows = np.array(body.parse(content).content, np.float64).reshape(-1, card.window)
    try:
        values, extrapolated = forecast(model, windows.astype(np.float32))
    except PredictionOverflow as error:
        raise _overflow([body.key(), error.row]) from None
    return predictions_json(card, values[:, 0], extrapolated)


def _overflow(place: list[str | int]) -> InvalidRequest:
    message = "The prediction for this input is beyond float32; send values nearer to the trained range"
    return InvalidRequest([{"type": "prediction_overflow", "loc": ["body", *place], "msg": message}])
