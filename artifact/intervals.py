"""Prediction intervals: split conformal scores on the card, and the bounds that follow from them.

Training writes `Intervals` to the card, the service computes bounds from it; both use the functions of this file.
A score is the absolute error of one step on one calibration window, divided by that window's own spread. Of n scores
the ⌈(n+1) level/100⌉-th smallest, times the spread of a new window, is half the width of its interval (Lei et al.,
"Distribution-free predictive inference for regression", 2018, section 2.2). Bounds of one window never cross: scores
are ascending, so half widths do not fall as the level rises. Another way to compute a window's spread is one more
function in `SPREADS`, and its name in the type of `Intervals.spread`; it takes windows and the season.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

MAX_SCORES = 1000
MAX_CACHED = 64  # clients of a model ask for the same few levels again and again
HALF_ULP = 1e31  # less, added to any float32, cannot make it infinite
ROUNDING = 1e-9  # of 20 the share 0.95 must have the rank 19, whatever float64 makes of it

Batch = NDArray[np.float32]
Floats = NDArray[np.float64]
Level = Annotated[float, Field(gt=0, lt=100)]


class UnreachableLevel(ValueError):
    """A level for which there are too few calibration windows. highest: the one that can be had, rounded down."""

    def __init__(self, level: float, highest: float) -> None:
        super().__init__(f"a level of {level:g} is out of reach; the highest that can be had is {highest:g}")
        self.level, self.highest = level, highest


class BoundOverflow(ArithmeticError):
    """The interval of a row is beyond float32."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class Coverage(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Share of actual values inside the interval of one level, on windows that no score comes from.

    low, high: the binomial range in which the share lies with 95 % probability if the level is true.
    """

    level: Level
    values: int = Field(ge=1, description="actual values: windows times steps")
    share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    mean_width: float = Field(ge=0, description="in the target's unit")


class Intervals(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Conformal scores of a model, thinned, and the coverage that was measured.

    calibration_windows: n, the number of scores per step before thinning. spread: how a window's spread is computed,
    see `SPREADS`; no window counts as less than least_spread. season: rows, 1 for none. ranks: the ranks, 1 to n, of
    the scores that were kept; the last one is n. scores: (steps, ranks), ascending in each row; a rank between two
    kept ones takes the higher.
    """

    calibration_windows: int = Field(ge=1)
    spread: Literal["one", "deviation", "differences"]
    season: int = Field(1, ge=1)
    least_spread: float = Field(ge=0)
    ranks: list[int] = Field(min_length=1, max_length=MAX_SCORES)
    scores: list[list[Annotated[float, Field(ge=0)]]] = Field(min_length=1)
    coverage: list[Coverage] = []

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if any(rank >= after for rank, after in pairwise([0, *self.ranks, self.calibration_windows + 1])):
            raise ValueError("the ranks are not ascending numbers from 1 to the number of calibration windows")
        if self.ranks[-1] != self.calibration_windows:
            raise ValueError("the last rank is not the number of calibration windows")
        if any(len(row) != len(self.ranks) or row != sorted(row) for row in self.scores):
            raise ValueError("the scores of a step are not as many as the ranks, or not ascending")
        return self

    @property
    def highest_level(self) -> float:
        """The highest level that can be had, 100 n / (n + 1), rounded down to two decimals."""
        return math.floor(10_000 * self.calibration_windows / (self.calibration_windows + 1)) / 100

    @cached_property
    def _highest_score(self) -> float:
        return max(row[-1] for row in self.scores)

    @cached_property
    def _quantiles(self) -> dict[tuple[float, ...], list[list[float]]]:
        """Quantiles of the levels that were asked for lately."""
        return {}

    def quantiles(self, levels: Sequence[float]) -> list[list[float]]:
        """Conformal quantiles, a list of steps per level, in units of a window's spread. Raises UnreachableLevel."""
        key = tuple(levels)
        found = self._quantiles.get(key)
        if found is None:
            places = [self._place(level) for level in levels]
            found = [[row[place] for row in self.scores] for place in places]
            if len(self._quantiles) >= MAX_CACHED:
                self._quantiles.clear()
            self._quantiles[key] = found
        return found

    def _place(self, level: float) -> int:
        """Index of a level's score among those that were kept."""
        rank = math.ceil((self.calibration_windows + 1) * level / 100 - ROUNDING)
        if rank > self.calibration_windows:
            raise UnreachableLevel(level, self.highest_level)
        return bisect_left(self.ranks, rank)

    def spreads(self, windows: Batch) -> Floats | float:
        """Spread of each window, (rows, window) → (rows, 1), or a number for one row."""
        spreads = SPREADS[self.spread](windows, self.season)
        return max(spreads, self.least_spread) if isinstance(spreads, float) else spreads.clip(min=self.least_spread)

    def bounds(self, quantiles: list[list[float]], windows: Batch, values: Batch) -> Batch:
        """Lower and upper ends of the intervals of `values`, (2, levels, rows, steps).

        quantiles: from `self.quantiles`. values: (rows, steps), the forecasts for `windows`, (rows, window). Raises
        BoundOverflow.
        """
        spreads = self.spreads(windows)
        if len(values) == 1 and isinstance(spreads, float) and spreads * self._highest_score < HALF_ULP:
            return _bounds_of_row(quantiles, spreads, values)
        halves = np.array(quantiles)[:, None, :] * spreads
        with np.errstate(over="ignore"):
            bounds = np.stack([values - halves, values + halves]).astype(np.float32)
        finite = np.isfinite(bounds)
        if not finite.all():
            raise BoundOverflow(int(np.argmin(finite.all(axis=(0, 1, 3)))))
        return bounds


def _bounds_of_row(quantiles: list[list[float]], spread: float, values: Batch) -> Batch:
    """The same numbers in plain Python: in a server, where its code is not in the cache, NumPy costs twice as much."""
    row = values[0].tolist()
    lower = [value - score * spread for scores in quantiles for value, score in zip(row, scores, strict=False)]
    upper = [value + score * spread for scores in quantiles for value, score in zip(row, scores, strict=False)]
    return np.array(lower + upper, np.float32).reshape(2, len(quantiles), 1, len(row))


def _deviation(windows: Batch, _season: int) -> Floats | float:
    """Standard deviation of each window, in float64."""
    if len(windows) == 1:  # plain Python is faster than NumPy on so few values
        row = windows[0].tolist()
        count = len(row)
        return math.dist(row, [sum(row) / count] * count) / math.sqrt(count)
    differences = windows - windows.mean(axis=1, keepdims=True, dtype=np.float64)
    deviations: Floats = np.sqrt(np.einsum("ij,ij->i", differences, differences) / windows.shape[1])
    return deviations[:, None]


def _differences(windows: Batch, season: int) -> Floats | float:
    """Mean absolute difference from the value before, or from that of a season before, whichever is smaller.

    Unlike the deviation, it does not take a trend or a season for uncertainty.
    """
    seasonal = 1 < season < windows.shape[1]
    if len(windows) == 1:
        row = windows[0].tolist()
        spread = _mean_difference(row, 1)
        return min(spread, _mean_difference(row, season)) if seasonal else spread
    spreads = _mean_differences(windows, 1)
    return np.minimum(spreads, _mean_differences(windows, season)) if seasonal else spreads


def _mean_difference(row: list[float], lag: int) -> float:
    return sum([abs(value - before) for before, value in zip(row, row[lag:], strict=False)]) / (len(row) - lag)


def _mean_differences(windows: Batch, lag: int) -> Floats:
    values = windows.astype(np.float64)
    means: Floats = np.abs(values[:, lag:] - values[:, :-lag]).mean(axis=1, keepdims=True)
    return means


def _one(_windows: Batch, _season: int) -> float:
    """No spread: for windows of one value, and for series whose errors do not grow with it."""
    return 1.0


SPREADS: Mapping[str, Callable[[Batch, int], Floats | float]] = {
    "one": _one,
    "deviation": _deviation,
    "differences": _differences,
}
