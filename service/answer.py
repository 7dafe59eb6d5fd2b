"""From the bytes of a request to the bytes of its answer: parse, predict, write."""

import numpy as np
from numpy.typing import NDArray

from artifact import Batch
from service.errors import InvalidRequest
from service.lifecycle import LiveModel
from service.schemas import prediction_json, predictions_json, request_body


def answer_single(model: LiveModel, content: bytes) -> bytes:
    """Predict from one window. Raises NotJSON or InvalidRequest."""
    body = request_body(model.card.name, model.card.window, None).parse(content)
    windows = body.to_rows(model.card.window)
    predictions = _predict(model, windows, ["body", body.key()])
    return prediction_json(model.card, predictions, model.extrapolated(windows))


def answer_batch(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Predict from up to `max_rows` windows. Raises NotJSON or InvalidRequest."""
    body = request_body(model.card.name, model.card.window, max_rows).parse(content)
    windows = body.to_rows(model.card.window)
    predictions = _predict(model, windows, ["body", body.key()])
    return predictions_json(model.card, predictions, model.extrapolated(windows))


def _predict(model: LiveModel, windows: NDArray[np.float64], loc: list[str | int]) -> Batch:
    predictions = model.predict(windows)
    if not np.isfinite(predictions).all():
        row = int(np.argmin(np.isfinite(predictions)))
        message = "The prediction for this input is beyond float32; send values nearer to the trained range"
        place = [*loc, row] if len(windows) > 1 else loc
        raise InvalidRequest([{"type": "prediction_overflow", "loc": place, "msg": message}])
    return predictions
