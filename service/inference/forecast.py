"""`forecast`: validated windows to forecasts. Every protocol calls it, or yields its windows to `answer`."""

import math
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from artifact import Batch, BoundOverflow
from service.inference.errors import PredictionOverflow
from service.inference.loader import LiveModel

Floats = NDArray[np.float64]


class Forecast(NamedTuple):
    """values: (rows, steps), finite. extrapolated: the rows that are unlike the training data.

    Their shape is, if the network scales each window by itself and the card has the shapes; else a value is outside the
    trained range.
    """

    values: Batch
    extrapolated: Sequence[int] | NDArray[np.intp]


Examined = tuple[Forecast, float]
"""A forecast whose values are finite, and the sum of its first steps, which is counted."""

Response = TypeVar("Response")
# From request to response: yields the windows, (rows, window), and is sent their `Forecast`. If it needs intervals, it
# then yields their ends, of `Intervals.ends`, and is sent the bounds. So whoever runs it decides how to compute both:
# for one request, or for several together.
Answering = Generator[Any, Any, Response]


def answer(model: LiveModel, answering: Answering[Response]) -> Response:
    """Run one request to its response, and count it. Raises what the generator raises, at PredictionOverflow too."""
    windows: Batch = next(answering)
    try:
        found, first_steps = examine(model, windows, model.engine.predict(windows))
        ends, response = send(answering, found)
        if ends is not None:
            _, response = send(answering, bounds(model, ends, windows, found.values))
    except PredictionOverflow as error:
        answering.throw(error)
        raise
    model.tally.add(len(found.values), len(found.extrapolated), first_steps)
    return response


def send(answering: Answering[Response], found: Forecast | Batch) -> tuple[Floats | None, Response]:
    """Send a generator what it waits for. Returns the ends of the intervals that it needs next, or its response."""
    try:
        return answering.send(found), None  # type: ignore[return-value]  # there is no response yet
    except StopIteration as end:
        return None, end.value


def bounds(model: LiveModel, ends: Floats, windows: Batch, values: Batch) -> Batch:
    """`Intervals.bounds` of the model. Raises PredictionOverflow for a bound beyond float32."""
    intervals = model.card.intervals
    assert intervals is not None  # noqa: S101  # the ends are of it
    try:
        return intervals.bounds(ends, windows, values)
    except BoundOverflow as error:
        raise PredictionOverflow(error.row) from None


def forecast(model: LiveModel, windows: Batch) -> Forecast:
    """Forecast windows, (rows, window), and count them in the model's tally. Raises PredictionOverflow."""
    found, first_steps = examine(model, windows, model.engine.predict(windows))
    model.tally.add(len(windows), len(found.extrapolated), first_steps)
    return found


def examine(model: LiveModel, windows: Batch, values: Batch, *, is_outside: bool | None = None) -> Examined:
    """Check the values, (rows, steps), that a network has given for windows. Raises PredictionOverflow.

    is_outside: for a single row of a model whose card has shapes, whether its own is outside, if that is known.
    """
    if len(values) == 1:
        return _examine_row(model, windows, values, is_outside=is_outside)
    first_steps = total = values[:, 0].sum(dtype=np.float64).item()
    if values.shape[1] > 1:
        total = values.sum(dtype=np.float64).item()
    # The sum is finite if and only if every value is; float64 cannot overflow here.
    if not math.isfinite(total):
        raise PredictionOverflow(int(np.argmin(np.isfinite(values).all(axis=1))))
    return Forecast(values, _extrapolated(model, windows)), first_steps


def _examine_row(model: LiveModel, windows: Batch, values: Batch, *, is_outside: bool | None) -> Examined:
    """`examine` for one row: plain Python is faster than NumPy on so few values."""
    (steps,) = values.tolist()
    if not math.isfinite(sum(steps)):
        raise PredictionOverflow(0)
    if model.card.shapes is None:
        (window,) = windows.tolist()
        low, high = model.trained_range
        is_outside = min(window) < low or max(window) > high
    elif is_outside is None:
        is_outside = bool(model.card.shapes.outside(windows)[0])
    return Forecast(values, [0] if is_outside else []), steps[0]


def _extrapolated(model: LiveModel, windows: Batch) -> Sequence[int] | NDArray[np.intp]:
    if model.card.shapes is not None:
        return np.flatnonzero(model.card.shapes.outside(windows))
    low, high = model.trained_range
    if windows.min() >= low and windows.max() <= high:  # if the extremes are inside, all rows are
        return []
    return np.flatnonzero(np.any((windows < low) | (windows > high), axis=1))
