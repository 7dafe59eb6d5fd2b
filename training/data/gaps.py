"""Gaps: count missing times and missing values, fill them, or split the series there."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.data.errors import SeriesError
from training.data.frequency import Frequency
from training.data.order import Flags, Floats, Observations
from training.data.times import Ticks

Ways = Literal["interpolate", "previous", "zero", "split"]
FILLED = 100  # maximum ratio of rows after filling gaps to rows before


@dataclass(frozen=True)
class Gaps:
    """Missing times and values. positions: (rows,), place of each row on the grid of its frequency, one more per step.

    times: number of missing times. values: number of rows without a value. before: the first row after a gap in time,
    or -1. first: the first row without a value, or -1. longest: maximum number of consecutive steps without a value.
    """

    positions: Ticks
    times: int
    values: int
    before: int
    first: int
    longest: int


def find_gaps(found: Observations, frequency: Frequency | None, *, local: bool) -> Gaps:
    """The gaps in sorted rows without duplicated times. `local`: the frequency counts by local clock."""
    if frequency is None:
        positions = np.arange(len(found.values))
    else:
        positions = frequency.positions(found.wall if local else found.ticks)
    same = found.same
    steps = np.diff(positions)
    jumps = np.flatnonzero(same & (steps > 1))
    absent = np.isnan(found.values) | np.isnan(found.targets)
    longest = max(int((steps[jumps] - 1).max(initial=0)), _longest_run(absent))
    first = int(np.argmax(absent)) if absent.any() else -1
    before = int(jumps[0]) + 1 if len(jumps) else -1
    return Gaps(positions, int((steps[jumps] - 1).sum()), int(absent.sum()), before, first, longest)


def _longest_run(absent: Flags) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], absent, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def split(found: Observations, gaps: Gaps) -> tuple[Observations, NDArray[np.int64]]:
    """The rows that have a value, and the first row of each stretch without a gap."""
    there = ~(np.isnan(found.values) | np.isnan(found.targets))
    if there.all() and not gaps.times:
        return found, starts_of(found)
    kept, positions = found.take(there), gaps.positions[there]
    breaks = ~(kept.same & (np.diff(positions) == 1))
    return kept, np.flatnonzero(np.append(len(kept.values) > 0, breaks))


def starts_of(found: Observations) -> NDArray[np.int64]:
    """The first row of each series."""
    return np.flatnonzero(np.append(len(found.values) > 0, ~found.same))


def fill(found: Observations, gaps: Gaps, frequency: Frequency | None, way: Ways) -> Observations:
    """Rows for every place of the grid, from the first row of a series to its last, with missing values filled in.

    interpolate: linear between the neighbours in time. previous: the previous value. zero: 0. Rows at the ends of a
    series without a neighbour to fill them from are left out. Raises SeriesError if the rows would become a hundred
    times as many.
    """
    found, positions = _trimmed(found, gaps.positions, way)
    starts = starts_of(found)
    ends = np.append(starts[1:], len(found.values)) - 1
    lengths = positions[ends] - positions[starts] + 1
    total = int(lengths.sum())
    if total > FILLED * len(found.values):
        raise SeriesError(
            f"--gaps {way}: would make {total:,} rows of {len(found.values):,}; is a time wrong? "
            "Without filling them in: --gaps split"
        )
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    counts = np.diff(np.append(starts, len(found.values)))
    where = positions - np.repeat(positions[starts] - offsets, counts)
    values = _filled(_scattered(found.values, where, total), way)
    targets = values if found.targets is found.values else _filled(_scattered(found.targets, where, total), way)
    owners = np.repeat(found.owners[starts], lengths)
    local = np.arange(total) - np.repeat(offsets, lengths)
    ticks = _ticks(found.ticks, where, local, np.repeat(found.ticks[starts], lengths), frequency)
    rows = np.full(total, -1)
    rows[where] = found.rows
    return Observations(owners, ticks, ticks, values, targets, rows)


def _trimmed(found: Observations, positions: Ticks, way: Ways) -> tuple[Observations, Ticks]:
    """The rows without those at the beginning of a series, for `interpolate` also at its end, that have no value."""
    absent = np.isnan(found.values) | np.isnan(found.targets)
    if way == "zero" or not absent.any():
        return found, positions
    index = np.arange(len(absent))
    starts = starts_of(found)
    counts = np.diff(np.append(starts, len(absent)))
    there = np.where(absent, len(absent), index)
    first = np.minimum.reduceat(there, starts)
    last = np.maximum.reduceat(np.where(absent, -1, index), starts) if way == "interpolate" else starts + counts - 1
    kept = (index >= np.repeat(first, counts)) & (index <= np.repeat(last, counts))
    return found.take(kept), positions[kept]


def _scattered(values: Floats, where: Ticks, total: int) -> Floats:
    result = np.full(total, np.nan)
    result[where] = values
    return result


def _filled(values: Floats, way: Ways) -> Floats:
    absent = np.isnan(values)
    if way == "zero":
        return np.where(absent, 0.0, values)
    index = np.arange(len(values))
    if way == "previous":
        last = np.maximum.accumulate(np.where(absent, 0, index))
        return values[last]
    # Each series begins and ends with a value, so that interpolation never uses values of two series.
    values[absent] = np.interp(index[absent], index[~absent], values[~absent])
    return values


def _ticks(known: Ticks, where: Ticks, local: Ticks, first: Ticks, frequency: Frequency | None) -> Ticks:
    if frequency is None:
        ticks = first + local
    elif frequency.kind in ("fixed", "step"):
        ticks = first + local * frequency.size
    else:
        months = np.unique(first)
        ticks = np.empty_like(first)
        for start in months:  # a short loop: monthly series begin in few different months
            ticks[first == start] = frequency.times(local[first == start], int(start))
    ticks[where] = known
    return ticks
