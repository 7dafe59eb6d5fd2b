"""`Frame`: the columns of a table as read from a file, its dialect, and the line number of each row."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from training.data.errors import SeriesError, shown

Place = Callable[[int], str]
"""The number of a row, from 0, to words: `line 7` of a text, `row 7` of a table without lines."""


@dataclass(frozen=True)
class Frame:
    """Columns of one length. Text columns are unchanged; columns of typed files keep their type.

    dialect: of the file, for the card and for `inspect`. notes: what was left out or skipped.
    """

    name: str
    columns: pl.DataFrame
    dialect: dict[str, Any]
    place: Place
    notes: list[str] = field(default_factory=list)

    def where(self, row: int, column: str) -> str:
        return f"{self.name}, {self.place(row)}, column {shown(column)}"


def _may_be_blank(cells: pl.Series) -> pl.Series:
    return cells.is_null() | cells.str.contains(r"^\s*$") if cells.dtype == pl.String else cells.is_null()


def without_empty_rows(frame: Frame, *, at_end: bool) -> Frame:
    """The frame without rows whose cells are all blank; only those at its end if `at_end`."""
    if not _may_be_blank(frame.columns.to_series(0)).any():
        return frame
    text = [name for name, kind in frame.columns.schema.items() if kind == pl.String]
    blank = [pl.col(name).is_null() for name in frame.columns.columns if name not in text]
    blank += [pl.col(name).fill_null("").str.strip_chars() == "" for name in text]
    empty = frame.columns.select(pl.all_horizontal(blank)).to_series().to_numpy()
    if not empty.any():
        return frame
    kept = np.flatnonzero(~empty)
    if at_end:
        kept = np.arange(int(kept[-1]) + 1 if len(kept) else 0)
    columns = frame.columns[kept] if len(kept) else frame.columns.clear()
    return replace(frame, columns=columns, place=lambda row: frame.place(int(kept[row])))


def unique_names(name: str, columns: list[str]) -> list[str]:
    """Names without surrounding space; a missing one becomes `column_3`. Raises SeriesError for a duplicated name."""
    columns = [columns[0].removeprefix("#"), *columns[1:]] if columns else []
    names = [text.replace("\xa0", " ").strip() or f"column_{number}" for number, text in enumerate(columns, 1)]
    twice = next((text for text in names if names.count(text) > 1), None)
    if twice is not None:
        raise SeriesError(f"{name}: column {shown(twice)} is there more than once; rename one of them")
    return names
