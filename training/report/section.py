"""Sections of the report: sentences, tables and pictures; tables as CSV and JSON."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class MedianRange(NamedTuple):
    """Median and range of a number over several seeds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        one = self.low == self.high
        return number(self.median) if one else f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


MANY, MOST = 1000, 1e7

Cell = str | float | MedianRange | None


def number(value: float) -> str:
    """Format a number with three significant digits; from 1,000 to 10 million as a whole number."""
    return f"{value:,.0f}" if MANY <= abs(value) < MOST else f"{value:.3g}"


def median_range(values: Sequence[float] | np.ndarray) -> MedianRange:
    """Median, minimum and maximum of some values."""
    return MedianRange(float(np.median(values)), float(np.min(values)), float(np.max(values)))


@dataclass(frozen=True)
class Table:
    """A table. name: of its files, without suffix. best: columns of which the lowest number in each row is in bold."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    best: frozenset[str] = frozenset()

    def texts(self) -> list[list[tuple[str, bool]]]:
        """Each cell as text, and whether it is the lowest of its row."""
        return [[(_text(cell), k in self._best(row)) for k, cell in enumerate(row)] for row in self.rows]

    def _best(self, row: list[Cell]) -> set[int]:
        values = {k: _value(row[k]) for k, column in enumerate(self.columns) if column in self.best}
        return {k for k, value in values.items() if value == min(values.values())}

    def records(self) -> list[dict[str, str | float | None]]:
        """The rows for a file; a range becomes three columns."""
        return [self._record(row) for row in self.rows]

    def _record(self, row: list[Cell]) -> dict[str, str | float | None]:
        record: dict[str, str | float | None] = {}
        for column, cell in zip(self.columns, row, strict=True):
            if isinstance(cell, MedianRange):
                record |= {column: cell.median, f"{column}, minimum": cell.low, f"{column}, maximum": cell.high}
            else:
                record[column] = cell
        return record

    def to_csv(self) -> str:
        text = io.StringIO()
        records = self.records()
        columns = dict.fromkeys(name for record in records for name in record)  # an empty cell has one column only
        writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue()

    def to_json(self) -> str:
        return json.dumps({"caption": self.caption, "rows": self.records()}, indent=1, ensure_ascii=False) + "\n"


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return number(cell) if isinstance(cell, float) else str(cell)


def _value(cell: Cell) -> float:
    if isinstance(cell, MedianRange):
        return cell.median
    return cell if isinstance(cell, float) else float("inf")


@dataclass(frozen=True)
class Picture:
    """A picture. svg: its colours are variables of the page, see `pictures`. alt: text for screen readers."""

    name: str
    caption: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Section:
    """A section of the page. lead: its main result in one sentence."""

    title: str
    lead: str
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    details: list[Table] = field(default_factory=list)
