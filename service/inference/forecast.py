"""`forecast`: validated windows to forecasts. Every protocol calls it, or yields its windows to `answer`."""

import math
from collections.abc import Generator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from artifact import Batch
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
        found = examine(model, windows, model.engine.predict(windows))
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
    found, first_steps = examine(model, windows, model.engine.predict(windows))
    model.tally.add(len(windows), len(found.extrapolated), first_steps)
    return found


def examine(model: LiveModel, windows: Batch, values: Batch) -> Examined:
    """Check the values, (rows, steps), that a network has given for windows. Raises PredictionOverflow."""
    if len(values) == 1:
        return _examine_row(model, windows, values)
    first_steps = total = values[:, 0].sum(dtype=np.float64).item()
    if values.shape[1] > 1:
        total = values.sum(dtype=np.float64).item()
    # The sum is finite if and only if every value is; float64 cannot overflow here.
    if not math.isfinite(total):
        raise PredictionOverflow(int(np.argmin(np.isfinite(values).all(axis=1))))
    return Forecast(values, _extrapolated(windows, *model.trained_range)), first_steps


def _examine_row(model: LiveModel, windows: Batch, values: Batch) -> Examined:
    """`examine` for one row: plain Python is faster than NumPy on so few values."""
    (steps,) = values.tolist()
    if not math.isfinite(sum(steps)):
        raise PredictionOverflow(0)
    (window,) = windows.tolist()
    low, high = model.trained_range
    return Forecast(values, [0] if min(window) < low or max(window) > high else []), steps[0]


def _extrapolated(windows: Batch, low: float, high: float) -> Sequence[int] | NDArray[np.intp]:
    if windows.min() >= low and windows.max() <= high:  # if the extremes are inside, all rows are
        return []
    return np.flatnonzero(np.any((windows < low) | (windows > high), axis=1))
