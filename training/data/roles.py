"""Roles of a table's columns: value, target, time and series id, found by name and content or named by flags."""

import difflib
import unicodedata
from dataclasses import dataclass, replace

import polars as pl

from training.data.errors import LISTED, SeriesError, listed, shown
from training.data.frame import Frame
from training.data.numbers import looks_numeric
from training.data.table import Column
from training.data.times import looks_like_times

NONE = "none"
ID_NAMES = ("unique_id", "item_id", "series_id", "series", "ts_id")
VALUE_NAMES = ("y", "target", "value")
TIME_NAMES = (
    "ds",
    "timestamp",
    "time",
    "date",
    "datetime",
    "datum",
    "zeit",
    "month",
    "week",
    "day",
    "quarter",
    "period",
)
SURE_NAMES = TIME_NAMES[:6]
STEP_NAMES = (*TIME_NAMES, "t", "step", "index", "year", "jahr", "year_month", "trend")
UNNAMED = "column_"
SAMPLE = 500  # rows at the beginning and at the end that decide the type of a column
EXAMPLES = 3


@dataclass(frozen=True)
class Roles:
    """The names of the columns that a run reads; `time` or `id` is None for a table without times or ids."""

    value: str
    target: str
    time: str | None
    id: str | None
    columns: list[Column]

    def of(self, name: str) -> str:
        """The role of a column; empty if the column is not read."""
        named = {"value": self.value, "target": self.target, "time": self.time, "id": self.id}
        return next((role for role, column in named.items() if column == name), "")


@dataclass(frozen=True)
class Named:
    """The columns that flags name; `time` or `id` is `none` if there is to be none."""

    value: str | None = None
    target: str | None = None
    time: str | None = None
    id: str | None = None


def find_roles(frame: Frame, named: Named) -> Roles:
    """Find the role of each column. Raises SeriesError, with all columns and the flag, if roles are ambiguous."""
    columns = [_describe(frame.columns[name]) for name in frame.columns.columns]
    value = _named(frame, named.value, "--column")
    target = _named(frame, named.target, "--target")
    taken = {name for name in (value, target) if name}
    identity = _id(frame, named, taken)
    time = _time(frame, columns, named, taken | ({identity} if identity else set()))
    if value is None:
        value = _value(frame, columns, {target, time, identity})
    roles = Roles(value, target or value, time, identity, columns)
    return replace(roles, columns=[column._replace(role=roles.of(column.name)) for column in columns])


def _describe(cells: pl.Series) -> Column:
    sample = pl.concat([cells.head(SAMPLE), cells.tail(SAMPLE)])
    kind = "time" if looks_like_times(sample) else "number" if looks_numeric(sample) else "text"
    return Column(cells.name, kind, "", [shown(cell) for cell in cells.head(50).drop_nulls().head(EXAMPLES)])


def _named(frame: Frame, name: str | None, flag: str) -> str | None:
    """The column that a flag names: exactly, or the only one that differs in case or Unicode form."""
    names = frame.columns.columns
    if name is None or name in names:
        return name
    same = [other for other in names if _plain(other) == _plain(name)]
    if len(same) == 1:
        return same[0]
    near = difflib.get_close_matches(_plain(name), [_plain(other) for other in names], 3)
    nearest = [other for other in names if _plain(other) in near]
    hint = f"; did you mean {' or '.join(map(shown, nearest))}?" if nearest else ""
    raise SeriesError(f"{frame.name}: column {shown(name)} ({flag}) is missing; the columns are {listed(names)}{hint}")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _id(frame: Frame, named: Named, taken: set[str]) -> str | None:
    if named.id is not None:
        return None if named.id == NONE else _named(frame, named.id, "--id")
    for name in frame.columns.columns:
        if _plain(name) in ID_NAMES and name not in taken and not looks_like_times(frame.columns[name]):
            return name
    return None


def _time(frame: Frame, columns: list[Column], named: Named, taken: set[str]) -> str | None:
    if named.time is not None:
        return None if named.time == NONE else _named(frame, named.time, "--time")
    free = [column for column in columns if column.name not in taken]
    dated = [column.name for column in free if column.kind == "time"]
    by_name = [name for name in dated if _plain(name) in TIME_NAMES]
    found = by_name if len(by_name) == 1 else dated
    if len(found) > 1:
        raise SeriesError(_doubt(frame, columns, f"{listed(found)} may all be the time", "--time NAME, or --time none"))
    # A text column with the name of a time is used, too; reading it then refuses the cell that is not a time.
    found = found or [column.name for column in free if column.kind == "text" and _plain(column.name) in SURE_NAMES]
    found = found or [column.name for column in free if _counts_rows(frame, column)]
    found = found or [name for name in _whole(frame, free) if _plain(name) in STEP_NAMES]
    return found[0] if len(found) == 1 else None


def _whole(frame: Frame, columns: list[Column]) -> list[str]:
    """The columns of whole numbers."""
    numbers = {c.name: frame.columns[c.name].cast(pl.Float64, strict=False) for c in columns if c.kind == "number"}
    return [name for name, cells in numbers.items() if not cells.null_count() and (cells == cells.round()).all()]


def _counts_rows(frame: Frame, column: Column) -> bool:
    """Whether a column without a name counts up by one, like an index."""
    if not column.name.startswith(UNNAMED) or column.kind != "number":
        return False
    numbers = frame.columns[column.name].cast(pl.Float64, strict=False)
    return not numbers.null_count() and bool((numbers.diff().drop_nulls() == 1).all())


def _value(frame: Frame, columns: list[Column], taken: set[str | None]) -> str:
    free = [column for column in columns if column.kind == "number" and column.name not in taken]
    free = [column for column in free if not _counts_rows(frame, column)]
    by_name = [column.name for column in free if _plain(column.name) in VALUE_NAMES]
    found = by_name if len(by_name) == 1 else [column.name for column in free]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} columns of numbers may be the value" if found else "no column holds numbers alone"
    raise SeriesError(_doubt(frame, columns, problem, "--column NAME"))


def _doubt(frame: Frame, columns: list[Column], problem: str, flag: str) -> str:
    lines = [f"  {shown(column.name)} ({column.kind}): {', '.join(column.examples)}" for column in columns[:LISTED]]
    more = [f"  and {len(columns) - LISTED} more"] if len(columns) > LISTED else []
    return "\n".join([f"{frame.name}: {problem}; type {flag}. The columns are:", *lines, *more])
