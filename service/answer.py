"""From the bytes of a request to the bytes of its answer: parse, predict, write."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from artifact import Batch, ModelCard
from service.errors import InvalidRequest, PredictionOverflow
from service.flat import read_flat
from service.lifecycle import LiveModel
from service.schemas import prediction_json, predictions_json, request_body

INLINE_BYTES = 16 * 2**10
Answer = TypeVar("Answer")


async def work_on(content: bytes, work: Callable[[], Answer], *, is_compressed: bool = False) -> Answer:
    """Do the work that a body asks for, in a thread if it would hold up the event loop for milliseconds."""
    if len(content) > INLINE_BYTES or is_compressed:  # what comes compressed can be of any size
        return await run_in_threadpool(work)
    return work()


def predict(model: LiveModel, batch: Batch) -> tuple[Batch, Sequence[int] | NDArray[np.intp]]:
    """(rows, window) → predictions (rows,), and the rows with a value outside the range that was trained on.

    Every route's way to a prediction, which the model's tally counts. Raises PredictionOverflow.
    """
    predictions = model.engine.predict(batch)
    # Of float32 numbers the float64 sum is finite just if all of them are.
    total = predictions[0].item() if len(batch) == 1 else predictions.sum(dtype=np.float64).item()
    if not math.isfinite(total):
        raise PredictionOverflow(int(np.argmin(np.isfinite(predictions))))
    extrapolated = _extrapolated(batch, model.card)
    model.tally.add(len(batch), len(extrapolated), total)
    return predictions, extrapolated


def _extrapolated(batch: Batch, card: ModelCard) -> Sequence[int] | NDArray[np.intp]:
    low, high = card.input_range
    if len(batch) == 1:  # in plain Python, for NumPy costs more on so few values
        seen = batch[0].tolist()
        return [0] if min(seen) < low or max(seen) > high else []
    # Compared as the float32 that the network sees; where all is inside, two passes tell it.
    lowest, highest = np.float32(low), np.float32(high)
    if batch.min() >= lowest and batch.max() <= highest:
        return []
    return np.flatnonzero(np.any((batch < lowest) | (batch > highest), axis=1))


def answer_single(model: LiveModel, content: bytes) -> bytes:
    """Predict from one window. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, None).parse(content)
    window = body.content if isinstance(body.content, list) else [body.content]
    try:
        predictions, extrapolated = predict(model, np.array([window], np.float32))
    except PredictionOverflow:
        raise _overflow([body.key()]) from None
    return prediction_json(card, predictions[0], extrapolated=len(extrapolated) > 0)


def answer_batch(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Predict from up to `max_rows` windows. Raises NotJSON or InvalidRequest."""
    card = model.card
    body = request_body(card.name, card.window, max_rows)
    windows = read_flat(content, body.key(), card.window, max_rows) if card.name == "lstm" else None
    if windows is None:
        windows = np.array(body.parse(content).content, np.float64).reshape(-1, card.window)
    try:
        return predictions_json(card, *predict(model, windows.astype(np.float32)))
    except PredictionOverflow as error:
        raise _overflow([body.key(), error.row]) from None


def _overflow(place: list[str | int]) -> InvalidRequest:
    message = "The prediction for this input is beyond float32; send values nearer to the trained range"
    return InvalidRequest([{"type": "prediction_overflow", "loc": ["body", *place], "msg": message}])
