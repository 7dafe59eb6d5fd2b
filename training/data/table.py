"""`Table`: the series of a file, in time order, on a regular grid if they have a frequency."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.frequency import Frequency
from training.data.times import Unit
from training.values import Values

Integers = NDArray[np.int64]


class Series(NamedTuple):
    """One series: its id, its times (rows,), datetime64[us] or steps, its values and its targets, (rows,) each."""

    id: str
    times: NDArray[Any]
    values: Values
    targets: Values


class Column(NamedTuple):
    """A column. kind: number, time or text. role: value, target, time, id, or empty. examples: three values."""

    name: str
    kind: str
    role: str
    examples: list[str]


class Problem(NamedTuple):
    """A problem in a table: its code, a message with the place, and the flags that resolve it.

    Codes are those of Nixtla's data audit if it has one: D001 duplicated times, D002 missing times, V001
    negative values, V002 leading zeros. `refused`: a run needs one of the flags.
    """

    code: str
    text: str
    flags: str
    refused: bool


@dataclass(frozen=True)
class Table:
    """The series of one file in one array of rows, sorted by series, and by time within a series.

    values, targets: (rows,), the same array where a series is its own target. times: (rows,) microseconds since 1970
    in UTC, or steps; None if only the order of the rows is known. starts: (stretches,), the first row of
    each unbroken stretch; a series has several if gaps split it, and no window may span a start.
    owners: (stretches,), the number of the series in `ids`. unit: of the times. read: what was decided, for the
    card. left_out: series by id that cannot be used, with the reason.
    """

    name: str
    column: str
    target: str
    ids: list[str]
    values: Values
    targets: Values
    times: Integers | None
    starts: Integers
    owners: Integers
    unit: Unit
    frequency: Frequency | None
    read: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    columns: list[Column] = field(default_factory=list)

    @property
    def season(self) -> int:
        """Steps in a season, from the frequency; 1 if none is known."""
        return self.frequency.season if self.frequency else 1

    @cached_property
    def lengths(self) -> Integers:
        """Number of rows of each stretch, (stretches,)."""
        return np.diff(np.append(self.starts, len(self.values)))

    def series(self) -> Iterator[Series]:
        """The series one by one, as views into the table; a series that gaps split is one series."""
        edges = np.append(self.starts[np.flatnonzero(np.diff(self.owners, prepend=-1))], len(self.values))
        times = np.arange(len(self.values)) if self.times is None else self.times
        shown = times.view("datetime64[us]") if self.unit == "time" and self.times is not None else times
        for owner, first, last in zip(np.unique(self.owners), edges[:-1], edges[1:], strict=True):
            part = slice(int(first), int(last))
            yield Series(self.ids[owner], shown[part], self.values[part], self.targets[part])
