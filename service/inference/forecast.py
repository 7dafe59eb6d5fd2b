"""`forecast`: validated windows to forecasts. Every protocol calls it, or yields its windows to `answer`."""

import math
from collections.abc import Generator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from artifact import Batch, ModelCard
from service.inference.errors import PredictionOverflow
from service.inference.loader import LiveModel


class Forecast(NamedTuple):
    """values: (rows, steps), finite. extrapolated: the rows with a value outside the range of the training data."""

    values: Batch
    extrapolated: Sequence[int] | NDArray[np.intp]


Examined = tuple[Forecast, float]
"""A forecast whose values are finite, and the sum of its first steps, which is counted."""

Response = TypeVar("Response")
# From request to response: yields the windows, (rows, window), is sent their forecast, and returns the response. So
# whoever runs it decides how to forecast them: alone, or together with those of other requests.
Answering = Generator[Batch, Forecast, Response]


def answer(model: LiveModel, answering: Answering[Response]) -> Response:
    """Run one request to its response, and count it. Raises what the generator raises, at PredictionOverflow too."""
    windows = next(answering)
    try:
        found = examine(model.card, windows, model.engine.predict(windows))
    except PredictionOverflow as error:
        answering.throw(error)
        raise
    return finish(model, answering, found)


def finish(model: LiveModel, answering: Answering[Response], found: Examined) -> Response:
    """Send a forecast to the generator that has yielded its windows, and count it. Raises what the generator raises."""
    sent, first_steps = found
    try:
        answering.send(sent)
    except StopIteration as end:
        response: Response = end.value
    else:
        raise RuntimeError("an answering yields once")
    model.tally.add(len(sent.values), len(sent.extrapolated), first_steps)
    return response


def forecast(model: LiveModel, windows: Batch) -> Forecast:
    """Forecast windows, (rows, window), and count them in the model's tally. Raises PredictionOverflow."""
    found, first_steps = examine(model.card, windows, model.engine.predict(windows))
    model.tally.add(len(windows), len(found.extrapolated), first_steps)
    return found


def examine(card: ModelCard, windows: Batch, values: Batch) -> Examined:
    """Check the values, (rows, steps), that a network has given for windows. Raises PredictionOverflow."""
    first_steps, total = _sums(values)
    # The sum is finite if and only if every value is; float64 cannot overflow here.
    if not math.isfinite(total):
        raise PredictionOverflow(int(np.argmin(np.isfinite(values).all(axis=1))))
    return Forecast(values, _extrapolated(windows, card)), first_steps


def _sums(values: Batch) -> tuple[float, float]:
    """Sums of the first steps and of all steps, in float64."""
    if values.size == 1:
        only = values.item()
        return only, only
    if len(values) == 1:  # plain Python is faster than NumPy on so few values
        row = values[0].tolist()
        return row[0], sum(row)
    total = values.sum(dtype=np.float64).item()
    return total if values.shape[1] == 1 else values[:, 0].sum(dtype=np.float64).item(), total


def _extrapolated(windows: Batch, card: ModelCard) -> Sequence[int] | NDArray[np.intp]:
    low, high = _float32_range(*card.input_range)
    if len(windows) == 1:  # plain Python is faster than NumPy on so few values
        (row,) = windows.tolist()
        return [0] if min(row) < low or max(row) > high else []
    if windows.min() >= low and windows.max() <= high:  # if the extremes are inside, all rows are
        return []
    return np.flatnonzero(np.any((windows < low) | (windows > high), axis=1))


@lru_cache(maxsize=1024)
def _float32_range(low: float, high: float) -> tuple[float, float]:
    """A range rounded to float32, as the values are that are compared with it: else its own ends could be outside."""
    with np.errstate(over="ignore"):
        return float(np.float32(low)), float(np.float32(high))
