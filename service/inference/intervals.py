"""`forecast_with_intervals`: forecasts and their prediction intervals at the levels that a request asks for."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from artifact import FLOAT32_OVERFLOW, Batch, UnreachableLevel
from service.inference.errors import LevelOutOfReach, PredictionOverflow
from service.inference.forecast import Forecast, forecast
from service.inference.lifecycle import LiveModel


class Interval(NamedTuple):
    """Ends of prediction intervals, both (levels, rows, steps), in float32 and finite."""

    lower: Batch
    upper: Batch


def forecast_with_intervals(model: LiveModel, windows: Batch, levels: Sequence[float]) -> tuple[Forecast, Interval]:
    """Forecast windows, (rows, window), with the interval of each level, 0 < level < 100, in the order of `levels`.

    Raises LevelOutOfReach before anything is forecast, or PredictionOverflow, for a bound too.
    """
    intervals = model.card.intervals
    if intervals is None:
        raise LevelOutOfReach(0, f"{model.card.name} has no prediction intervals; ask without levels")
    try:
        quantiles = intervals.quantiles(levels)
    except UnreachableLevel as error:
        raise LevelOutOfReach(levels.index(error.level), f"{model.card.name}: {error}") from None
    found = forecast(model, windows)
    lower, upper = intervals.bounds(quantiles, windows, found.values)
    if lower.min() <= -FLOAT32_OVERFLOW or upper.max() >= FLOAT32_OVERFLOW:
        finite = (lower > -FLOAT32_OVERFLOW) & (upper < FLOAT32_OVERFLOW)
        raise PredictionOverflow(int(np.argmin(finite.all(axis=(0, 2)))))
    return found, Interval(lower.astype(np.float32), upper.astype(np.float32))
