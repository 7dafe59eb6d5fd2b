"""Windows of one or many series, each with the values that follow it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.values import Values

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Stretches:
    """Unbroken stretches of series. No window reaches over the start of a stretch.

    values: (n,), all of them one after the other. starts: (stretches,), where each begins. series: (stretches,), the
    number of the series that it belongs to, ascending from 0; a series has several where gaps split it.
    """

    values: Values
    starts: Integers
    series: Integers

    @classmethod
    def of(cls, series: Sequence[Values]) -> Self:
        """Series without gaps, a stretch each."""
        lengths = [len(values) for values in series]
        return cls(np.concatenate(series), np.cumsum([0, *lengths[:-1]]), np.arange(len(series)))

    @property
    def lengths(self) -> Integers:
        """Values of each stretch, (stretches,)."""
        return np.diff(np.append(self.starts, len(self.values)))

    @property
    def count(self) -> int:
        """How many series these are."""
        return int(self.series[-1]) + 1


@dataclass(frozen=True)
class Windows:
    """Every window of some stretches that has a value after it: series by series, in time order within each.

    last: (rows,), where in the stretches' values a window ends. targets: (rows, steps), NaN where the stretch ends
    before. series: (rows,), numbers of the series. after: (rows,), values of the series that come after the window.
    ahead: (steps,), rows from the window's last value to each step. season: rows, 1 for none.
    """

    stretches: Stretches
    window: int
    ahead: Integers
    season: int
    last: Integers
    stretch: Integers
    targets: Values
    after: Integers

    @cached_property
    def values(self) -> Values:
        """The windows themselves, (rows, window), oldest value first."""
        views = np.lib.stride_tricks.sliding_window_view(self.stretches.values, self.window)
        found: Values = views[self.last - (self.window - 1)]
        return found

    @property
    def series(self) -> Integers:
        """The number of each row's series, (rows,)."""
        return self.stretches.series[self.stretch]

    @property
    def reach(self) -> int:
        """Rows from a window's last value to its last target."""
        return int(self.ahead[-1])

    def known(self, still_to_come: int) -> Mask:
        """The targets, (rows, steps), that are known when `still_to_come` values of each series are not there yet."""
        known: Mask = ~np.isnan(self.targets) & (self.after[:, None] - self.ahead >= still_to_come)
        return known

    def complete(self, least: int, most: int) -> Mask:
        """The rows, (rows,), that have all their targets, and from least to most values after the window."""
        whole: Mask = ~np.isnan(self.targets).any(axis=1) & (self.after >= least) & (self.after <= most)
        return whole

    def naive(self, rows: Mask) -> Values:
        """The window's last value for every step, (rows, steps)."""
        return np.repeat(self.stretches.values[self.last[rows], None], len(self.ahead), axis=1)

    def seasonal_naive(self, rows: Mask) -> Values:
        """The value one season before each step, or as many seasons as it takes, (rows, steps); NaN where it is older
        than the stretch.
        """
        places = self.last[rows, None] + self.ahead - self.season * -(-self.ahead // self.season)
        inside = places >= self.stretches.starts[self.stretch[rows], None]
        return np.where(inside, self.stretches.values[np.maximum(places, 0)], np.nan)


def make_windows(stretches: Stretches, window: int, ahead: Sequence[int], season: int) -> Windows:
    """The windows of `window` values. ahead: rows from the window's last value to each step, ascending, from 1 on."""
    steps = np.array(ahead)
    lengths = stretches.lengths
    counts = np.maximum(lengths - window - steps[0] + 1, 0)
    stretch = np.repeat(np.arange(len(lengths)), counts)
    before = np.cumsum(counts) - counts
    last = np.arange(counts.sum()) - before[stretch] + stretches.starts[stretch] + window - 1
    ends = stretches.starts + lengths
    places = last[:, None] + steps
    inside = places < ends[stretch, None]
    targets = np.where(inside, stretches.values[np.minimum(places, len(stretches.values) - 1)], np.nan)
    series_ends = np.append(np.flatnonzero(np.diff(stretches.series)), len(lengths) - 1)
    after = ends[series_ends][stretches.series[stretch]] - 1 - last
    return Windows(stretches, window, steps, season, last, stretch, targets, after)
