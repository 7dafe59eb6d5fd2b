"""Prediction intervals: split conformal scores on the card, and the bounds computed from them.

Training writes `Intervals` to the card, and the service computes bounds from it; both use the functions of this file.
A score is the absolute error of one step on one calibration window, divided by the spread of that window; training
lowers it where the published network has seen more rows than the fit that made the error. Half the width of a new
window's interval is its spread times the ⌈(n+1) level/100⌉-th smallest of n scores (Lei et al., "Distribution-free
predictive inference for regression", 2018, section 2.2). The bounds of a window never cross: scores are ascending, so a
higher level never has a narrower interval. `spreads.py` has the ways to compute the spread.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, model_validator

from artifact.spreads import SPREADS, Batch, Floats

MAX_SCORES = 1000
MAX_CACHED = 64  # combinations of levels; clients of a model keep requesting the same few
HALF_ULP = 1e31  # about half a unit in the last place of the largest float32; adding less cannot overflow
CHUNK_ROWS = 4096  # bounds the memory: the differences of a window are float64, and up to twice as many as its values
ROUNDING = 1e-9  # tolerance for float64: 0.95 of 20 must give rank 19, not 20

Level = Annotated[float, Field(gt=0, lt=100)]


class UnreachableLevel(ValueError):
    """A level with too few calibration windows. highest: the highest level available, in percent, rounded down."""

    def __init__(self, level: float, highest: float) -> None:
        super().__init__(f"a level of {level:g} is out of reach; the highest that can be had is {highest:g}")
        self.level, self.highest = level, highest


class BoundOverflow(ArithmeticError):
    """An interval with a bound beyond float32. row: index of the row."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class Coverage(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Measured coverage of one level: share of actual values inside the interval, on windows not used for calibration.

    low, high: binomial range that contains the share with 95 % probability if the nominal level is correct.
    """

    level: Level
    values: int = Field(ge=1, description="actual values: windows times steps")
    share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    mean_width: float = Field(ge=0, description="in the target's unit")


class Intervals(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Conformal scores of a model, thinned, and the measured coverage.

    calibration_windows: n, the number of scores per step before thinning.
    spread: the function in `SPREADS` that computes a window's spread. least_spread: lower limit of the spread.
    season: rows in a season, 1 for none. ranks: the ranks, 1 to n, of the kept scores; the last one is n.
    scores: (steps, ranks), ascending in each row. A rank that was not kept uses the next higher kept rank.
    """

    calibration_windows: int = Field(ge=1)
    spread: Literal["one", "deviation", "differences", "recent"]
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
        """The highest available level in percent: 100 n / (n + 1), rounded down to two decimals."""
        return math.floor(10_000 * self.calibration_windows / (self.calibration_windows + 1)) / 100

    @cached_property
    def _highest_score(self) -> float:
        return max(row[-1] for row in self.scores)

    @cached_property
    def _ends(self) -> dict[tuple[float, ...], Floats]:
        """Cache of `ends`, by levels."""
        return {}

    def quantiles(self, levels: Sequence[float]) -> list[list[float]]:
        """Conformal quantiles, (levels, steps), in units of a window's spread. Raises UnreachableLevel."""
        places = [self._place(level) for level in levels]
        return [[row[place] for row in self.scores] for place in places]

    def ends(self, levels: Sequence[float]) -> Floats:
        """Lower and upper ends of intervals around zero for a spread of one, (2, levels, 1, steps).

        Raises UnreachableLevel.
        """
        key = tuple(levels)
        found = self._ends.get(key)
        if found is None:
            upper = np.array(self.quantiles(levels))[:, None]
            found = np.stack([-upper, upper])
            if len(self._ends) >= MAX_CACHED:
                self._ends.clear()
            self._ends[key] = found
        return found

    def _place(self, level: float) -> int:
        """Index of a level's score among the kept scores. Raises UnreachableLevel."""
        rank = math.ceil((self.calibration_windows + 1) * level / 100 - ROUNDING)
        if rank > self.calibration_windows:
            raise UnreachableLevel(level, self.highest_level)
        return bisect_left(self.ranks, rank)

    def spreads(self, windows: Batch) -> Floats | float:
        """Spread of each window, (rows, window) → (rows, 1); a plain number, with the same bits, for one row."""
        spread = SPREADS[self.spread]
        if len(windows) == 1:
            return max(float(spread(windows[0], self.season)), self.least_spread)
        parts = [spread(windows[at : at + CHUNK_ROWS], self.season) for at in range(0, len(windows), CHUNK_ROWS)]
        return np.concatenate(parts).clip(self.least_spread)[:, None]

    def bounds(self, ends: Floats, windows: Batch, values: Batch) -> Batch:
        """Lower and upper bounds of the intervals around `values`, (2, levels, rows, steps).

        ends: from `self.ends`. windows: (rows, window). values: (rows, steps), the forecasts for `windows`.
        Raises BoundOverflow.
        """
        spreads = self.spreads(windows)
        wide = ends * spreads + values
        if (spreads if isinstance(spreads, float) else spreads.max()) * self._highest_score < HALF_ULP:
            return wide.astype(np.float32)
        with np.errstate(over="ignore"):
            bounds: Batch = wide.astype(np.float32)
        finite = np.isfinite(bounds)
        if not finite.all():
            raise BoundOverflow(int(np.argmin(finite.all(axis=(0, 1, 3)))))
        return bounds

    def bounds_each(self, ends: Floats, windows: Sequence[Batch], values: Sequence[Batch]) -> Sequence[Batch]:
        """`bounds` of single rows, (1, window) and (1, steps) each: the same bits, in a fraction of the time."""
        bounds = self.bounds(ends, np.concatenate(windows), np.concatenate(values))
        each: Batch = np.ascontiguousarray(bounds.transpose(2, 0, 1, 3))[:, :, :, None]
        return list(each)
