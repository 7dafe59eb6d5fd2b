"""Spread of a window: how far its values lie apart, by the functions that `Intervals.spread` names.

They take windows, (rows, window) → (rows), or one window, (window) → a plain number: an array of one number costs a
server that is not busy 20 µs more. A window has the same bits alone and among others; a test compares them. To add a
way to compute the spread, add a function of the windows and the season to `SPREADS`, and its name to the type of
`Intervals.spread`.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_RECENT = 4  # differences that a recent spread is the mean of, where a season has fewer
LEAST_SHARE = 1 / 3  # of the spread of the whole window: a few equal values at its end do not make an interval of zero

Batch = NDArray[np.float32]
Floats = NDArray[np.float64]


class _Differences(NamedTuple):
    """Which differences of a window are added up, for each lag those of the last season and all.

    later, earlier: places of the values in the window. cuts: begin and end of each sum, for `np.add.reduceat`, which
    gives a sum for each begin and something else for each end. counts: differences in each sum.
    """

    later: NDArray[np.intp]
    earlier: NDArray[np.intp]
    cuts: NDArray[np.intp]
    counts: NDArray[np.intp]


@lru_cache(maxsize=64)
def _differences_of(window: int, season: int) -> _Differences:
    """The differences at lag 1 and, if the window is longer than the season, at lag `season`."""
    earlier: list[int] = []
    later: list[int] = []
    cuts, counts, end = [], [], 0
    for lag in (1, season) if 1 < season < window else (1,):
        count = window - lag
        recent = min(max(season, LEAST_RECENT), count)
        begin, end = end, end + count
        earlier += range(count)
        later += range(lag, window)
        cuts += [end - recent, end, begin, end]
        counts += [recent, count]
    # A difference more, as no cut may lie behind the last one.
    return _Differences(np.array([*later, 0]), np.array([*earlier, 0]), np.array(cuts), np.array(counts))


def _mean_differences(windows: Batch, season: int) -> Floats:
    """Mean absolute differences of the last season and of all, at lag 1 and at lag `season`, along the last axis.

    All lags at once, and as sums: with a cold cache every call of NumPy takes a microsecond.
    """
    later, earlier, cuts, counts = _differences_of(windows.shape[-1], season)
    values = windows.astype(np.float64)
    differences = values.take(later, -1) - values.take(earlier, -1)
    means: Floats = np.add.reduceat(np.abs(differences, out=differences), cuts, axis=-1)[..., ::2] / counts
    return means


def _deviation(windows: Batch, _season: int) -> Floats | float:
    """Standard deviation of each window in float64."""
    values = windows.astype(np.float64)
    squares = np.square(values - _mean(values)[..., None])
    return math.sqrt(_mean(squares)) if windows.ndim == 1 else np.sqrt(_mean(squares))


def _mean(values: Floats) -> Floats:
    means: Floats = np.add.reduce(values, axis=-1) / values.shape[-1]  # a third of the time of `mean`
    return means


def _differences(windows: Batch, season: int) -> Floats | float:
    """Mean absolute difference at lag 1 or at lag `season`, whichever is smaller.

    Unlike the deviation, it does not grow with a trend or a season of the window.
    """
    means = _mean_differences(windows, season)
    least: Floats = means[..., 1::2].min(axis=-1)
    return float(least) if means.ndim == 1 else least


def _recent(windows: Batch, season: int) -> Floats | float:
    """Mean absolute difference of the last season, at lag 1 or at lag `season`, whichever is smaller.

    Errors of forecasts are smaller in calm times, and last season's differences tell these from rough ones.
    """
    means = _mean_differences(windows, season)
    if means.ndim == 1:
        found: list[float] = means.tolist()
        return min([max(last, of_all * LEAST_SHARE) for last, of_all in zip(found[::2], found[1::2], strict=True)])
    least: Floats = np.maximum(means[:, ::2], means[:, 1::2] * LEAST_SHARE).min(axis=1)
    return least


def _one(windows: Batch, _season: int) -> Floats | float:
    """Constant spread: for windows of one value, and for series whose errors do not grow with the deviation."""
    return 1.0 if windows.ndim == 1 else np.ones(len(windows))


SPREADS: Mapping[str, Callable[[Batch, int], Floats | float]] = {
    "one": _one,
    "deviation": _deviation,
    "differences": _differences,
    "recent": _recent,
}
