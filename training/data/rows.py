"""Rows: the windows of one or many series with their targets, and the split by time."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.data.table import Integers, Table
from training.values import Values


@dataclass(frozen=True)
class Rows:
    """Windows and targets of one training run, series after series, in time order within each.

    values: (n,), the values of all series, one after the other. last: (rows,), where in `values` the window of a row
    ends. window: number of values in a window. targets: (rows,). persistence: (rows,), the last target value that is
    known when the window ends. series: (rows,), the number of the series in `table.ids`; zeros for one series. table:
    the source of the rows; its ids, times[last], frequency and season; None for the article's series.
    """

    values: Values
    last: Integers
    window: int
    targets: Values
    persistence: Values
    series: NDArray[np.int32]
    table: Table | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, windows: Values, targets: Values, persistence: Values) -> Self:
        """Rows of one series whose windows, (rows, window), need not overlap."""
        rows, window = windows.shape
        last = np.arange(rows) * window + window - 1
        return cls(windows.reshape(-1), last, window, targets, persistence, np.zeros(rows, np.int32))

    @cached_property
    def windows(self) -> Values:
        """(rows, window), oldest value first: a view if the rows are consecutive, else a copy."""
        views = np.lib.stride_tricks.sliding_window_view(self.values, self.window)
        first = self.last - (self.window - 1)
        step = int(first[1] - first[0]) if len(first) > 1 else 0
        if step > 0 and first[-1] - first[0] == step * (len(first) - 1) and bool((np.diff(first) == step).all()):
            return views[first[0] : first[-1] + 1 : step]
        return views[first]

    def split(self, held_out: float, horizon: int) -> tuple[Self, Self]:
        """The rows to train on, and the last `held_out` share of each series, as Keras' validation_split cuts.

        Rows between the two are left out if their target is not known yet when the first held-out window ends.
        """
        starts = np.flatnonzero(np.diff(self.series, prepend=-1))
        counts = np.diff(np.append(starts, len(self.series)))
        cuts = np.minimum(np.maximum((counts * (1 - held_out)).astype(np.int64), 1), counts - 1)
        known = np.maximum(cuts - max(horizon - 1, 0), np.minimum(cuts, 1))
        if len(counts) == 1:
            return self.take(slice(int(known[0]))), self.take(slice(int(cuts[0]), None))
        place = np.arange(len(self.series)) - np.repeat(starts, counts)
        return self.take(place < np.repeat(known, counts)), self.take(place >= np.repeat(cuts, counts))

    def take(self, part: "slice | NDArray[np.bool_] | Integers") -> Self:
        """A selection of the rows, in the given order."""
        targets, persistence = self.targets[part], self.persistence[part]
        return replace(self, last=self.last[part], targets=targets, persistence=persistence, series=self.series[part])

    def sha256(self) -> str:
        """SHA-256 of the windows and targets as little-endian float64."""
        content = self.windows.astype("<f8").tobytes() + self.targets.astype("<f8").tobytes()
        return hashlib.sha256(content).hexdigest()


def make_rows(series: Values, target: Values, window: int, horizon: int) -> Rows:
    """Each window of one `series` with the value of `target` `horizon` steps after the window's last."""
    last = np.arange(first_end(window, horizon), len(series) - horizon)
    known = max(horizon, 1)
    targets, persistence = target[last + horizon], target[last + horizon - known]
    return Rows(series, last, window, targets, persistence, np.zeros(len(last), np.int32))


def first_end(window: int, horizon: int) -> int:
    """The index in a series of the last value of the first window.

    At horizon 0 the target to predict is at the end of the window, so the last known target is the one before it.
    """
    return max(window - 1, max(horizon, 1) - horizon)


def table_rows(table: Table, window: int, horizon: int) -> Rows:
    """The rows of every series of a table; no window or target spans the start of a stretch."""
    lengths = table.lengths
    counts = np.maximum(lengths - horizon - first_end(window, horizon), 0)
    begins = table.starts + first_end(window, horizon)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    last = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], counts)
    owners = np.repeat(table.owners.astype(np.int32), counts)
    known = max(horizon, 1)
    targets = table.targets
    return Rows(table.values, last, window, targets[last + horizon], targets[last + horizon - known], owners, table)
