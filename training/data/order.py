"""Order of rows and duplicated times: sorted by series and time, one row for each time."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.data.times import Ticks

Duplicates = Literal["last", "mean", "sum"]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Observations:
    """Rows before they become a table, (rows,) each: series number, time in UTC and by local clock, value, target.

    rows: the row number in the file. Missing values are NaN. targets is values if a series is its own target.
    """

    owners: NDArray[np.int64]
    ticks: Ticks
    wall: Ticks
    values: Floats
    targets: Floats
    rows: NDArray[np.int64]

    @property
    def same(self) -> Flags:
        """(rows - 1,): whether a row and the next one are of one series."""
        return np.equal(self.owners[1:], self.owners[:-1])

    def take(self, rows: "NDArray[np.int64] | Flags | slice") -> "Observations":
        values = self.values[rows]
        targets = values if self.targets is self.values else self.targets[rows]
        return Observations(self.owners[rows], self.ticks[rows], self.wall[rows], values, targets, self.rows[rows])


def in_order(found: Observations) -> tuple[Observations, str]:
    """The rows sorted by series and time, and their original order: `oldest first`, `newest first` or `mixed`.

    Rows with the same time stay in the order of the file.
    """
    steps, same = np.diff(found.ticks), found.same
    if bool((np.diff(found.owners) >= 0).all()) and bool((steps[same] >= 0).all()):
        return found, "oldest first"
    falls = bool((steps[same] <= 0).all()) and bool((steps[same] < 0).any())
    return found.take(np.lexsort((found.ticks, found.owners))), "newest first" if falls else "mixed"


def duplicated(found: Observations) -> NDArray[np.int64]:
    """The numbers of the rows with the same series and time as the row before them."""
    return np.flatnonzero(found.same & (np.diff(found.ticks) == 0)) + 1


def merged(found: Observations, repeats: NDArray[np.int64], way: Duplicates) -> Observations:
    """One row for each time: the last in the file, or the mean or the sum of the rows that have a value."""
    first = np.ones(len(found.ticks), np.bool_)
    first[repeats] = False
    starts = np.flatnonzero(first)
    last = np.append(starts[1:], len(first)) - 1
    kept = found.take(last)
    if way == "last":
        return kept
    values = _reduced(found.values, starts, way)
    targets = values if found.targets is found.values else _reduced(found.targets, starts, way)
    return replace(kept, values=values, targets=targets)


def _reduced(values: Floats, starts: NDArray[np.int64], way: Duplicates) -> Floats:
    there = ~np.isnan(values)
    total = np.add.reduceat(np.where(there, values, 0), starts)
    count = np.add.reduceat(there.astype(np.int64), starts)
    result: Floats = np.where(count > 0, total / np.maximum(count, 1) if way == "mean" else total, np.nan)
    return result
