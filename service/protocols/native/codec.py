"""Codec of /predict: request bytes to response bytes."""

import numpy as np
from numpy.typing import NDArray

from service.inference.errors import InvalidRequest, PredictionOverflow
from service.inference.forecast import Answering, answer, forecast
from service.inference.loader import LiveModel
from service.protocols.native.body import batch_body, single_body
from service.protocols.native.flat import read_flat
from service.protocols.native.row import RowReader
from service.protocols.native.schemas import prediction_json, predictions_json


def answer_single(model: LiveModel, content: bytes) -> bytes:
    """Response of /predict/{name}: the first step for one row. Raises NotJSON or InvalidRequest."""
    return answer(model, predicting(model, content))


def predicting(model: LiveModel, content: bytes) -> Answering[bytes]:
    """The steps of `answer_single`. Raises what it does."""
    card = model.card
    window = model.once(RowReader.of).read(content)
    if window is None:
        found = single_body(card.input, card.window).parse(content).content
        window = [found] if card.input.is_single_value else found
    try:
        values, extrapolated = yield np.array([window], np.float32)
    except PredictionOverflow:
        raise overflow([card.input.name]) from None
    return prediction_json(card, values[0, 0], extrapolated=len(extrapolated) > 0)


def answer_batch(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Response of /predict/{name}/batch: the first step for up to `max_rows` rows. Raises NotJSON or InvalidRequest."""
    windows, key = _read_batch(model, content, max_rows)
    try:
        values, extrapolated = forecast(model, windows.astype(np.float32))
    except PredictionOverflow as error:
        raise overflow([key, error.row]) from None
    return predictions_json(model.card, values[:, 0], extrapolated)


def _read_batch(model: LiveModel, content: bytes, max_rows: int) -> tuple[NDArray[np.float64], str]:
    """The rows, (rows, window), and their JSON key."""
    card = model.card
    body = batch_body(card.input, card.window, max_rows)
    if not card.input.is_single_value:
        # The flat reader is tried first because it is several times as fast. It reads well-formed bodies only;
        # everything else goes to pydantic, which produces the error messages.
        windows = read_flat(content, body.key(), card.window, max_rows)
        if windows is not None:
            return windows, body.key()
    return np.array(body.parse(content).content, np.float64).reshape(-1, card.window), body.key()


def overflow(place: list[str | int]) -> InvalidRequest:
    """The error for a row whose forecast is beyond float32. place: keys and indexes of the row in the body."""
    message = "The prediction for this input is beyond float32; send values nearer to the trained range"
    return InvalidRequest([{"type": "prediction_overflow", "loc": ["body", *place], "msg": message}])
