"""Data audit of a table: leading zeros, negative values, constant stretches, outliers, unusable series."""

import numpy as np
import polars as pl

from training.data.checks import check_rows, usable
from training.data.errors import SeriesError, counted, listed, shown
from training.data.problems import at
from training.data.rows import table_rows
from training.data.series import DEFAULT_HELD_OUT
from training.data.table import Problem, Table

STRETCH = 10  # minimum number of consecutive rows with one value that is reported
FENCES = 3.0  # interquartile ranges beyond the quartiles: "far out" (Tukey, 1977, "Exploratory data analysis")


def find_problems(table: Table, window: int, horizon: int) -> list[Problem]:
    """Problems of reading the table, and findings about its values. Of the findings only unusable series stop a run.

    Codes: V001 negative values, V002 leading zeros and F001 columns of text beside the id are those of Nixtla's
    audit; V003 constant stretches, V004 outliers and S001 series that are left out are added here.
    """
    found = [*table.problems, *_texts(table)]
    if not len(table.values):
        return [*found, Problem("S001", f"{table.name}: no value is there", "name another --column", refused=True)]
    return [
        *found,
        *_negatives(table),
        *_leading_zeros(table),
        *_stretches(table),
        *_outliers(table),
        *_untrainable(table, window, horizon),
    ]


def _place(table: Table, row: int) -> str:
    """A row in words: its series and its time."""
    stretch = int(np.searchsorted(table.starts, row, "right")) - 1
    name = table.ids[int(table.owners[stretch])]
    when = at(int(table.times[row]), table.unit) if table.times is not None else f"row {row + 1}"
    return f"{when} of {shown(name)}" if name else when


def _texts(table: Table) -> list[Problem]:
    names = [column.name for column in table.columns if column.kind == "text" and not column.role]
    if not names:
        return []
    text = f"columns of text that are not used: {listed(names)}"
    return [Problem("F001", text, "--id NAME, if one of them names the series", refused=False)]


def _negatives(table: Table) -> list[Problem]:
    rows = np.flatnonzero(table.values < 0)
    if not len(rows) or len(rows) == len(table.values):
        return []
    text = f"{counted(len(rows), 'value is', 'values are')} negative: the first at {_place(table, int(rows[0]))}"
    return [Problem("V001", text, "nothing, if they are right", refused=False)]


def _leading_zeros(table: Table) -> list[Problem]:
    first = np.flatnonzero(np.append(True, np.diff(table.owners) != 0))
    starts = table.starts[first]
    ends = np.append(starts[1:], len(table.values))
    index = np.where(table.values == 0, len(table.values), np.arange(len(table.values)))
    zeros = np.minimum(np.minimum.reduceat(index, starts), ends) - starts
    series = np.flatnonzero(zeros > 1)
    if not len(series):
        return []
    text = f"{counted(len(series), 'series begins', 'series begin')} with zeros, {int(zeros.max())} at most"
    return [Problem("V002", text, "leave these rows out, if the series began later", refused=False)]


def _stretches(table: Table) -> list[Problem]:
    changes = np.append(True, np.diff(table.values) != 0)
    changes[table.starts] = True
    starts = np.flatnonzero(changes)
    lengths = np.diff(np.append(starts, len(table.values)))
    long = np.flatnonzero(lengths >= STRETCH)
    if not len(long):
        return []
    longest = int(starts[np.argmax(lengths)])
    text = (
        f"{counted(len(long), 'stretch', 'stretches')} of {STRETCH} rows or more with one value: the longest has "
        f"{int(lengths.max()):,} rows of {table.values[longest]:g}, from {_place(table, longest)}"
    )
    return [
        Problem(
            "V003", text, "nothing, if they are right; a stuck sensor is a gap: leave its values empty", refused=False
        )
    ]


def _outliers(table: Table) -> list[Problem]:
    owners = np.repeat(table.owners, table.lengths)
    frame = pl.DataFrame({"owner": owners, "value": table.values})
    low, high = (pl.col("value").quantile(q).over("owner") for q in (0.25, 0.75))
    spread = (high - low) * FENCES
    far = (
        frame.select((spread > 0) & ((pl.col("value") < low - spread) | (pl.col("value") > high + spread)))
        .to_series()
        .to_numpy()
    )
    rows = np.flatnonzero(far)
    if not len(rows):
        return []
    text = (
        f"{counted(len(rows), 'value lies', 'values lie')} over {FENCES:g} interquartile ranges beyond the quartiles "
        f"of its series: the first is {table.values[rows[0]]:g} at {_place(table, int(rows[0]))}"
    )
    return [Problem("V004", text, "nothing, if they are right", refused=False)]


def _untrainable(table: Table, window: int, horizon: int) -> list[Problem]:
    """Series that a run would refuse or leave out, with the default share of held-out rows."""
    try:
        whole = usable(table, window, horizon)
        check_rows(table_rows(whole, window, horizon), DEFAULT_HELD_OUT, horizon)
    except SeriesError as error:
        flags = "give more rows, rows that vary, or another --column or --window"
        return [Problem("S001", str(error), flags, refused=True)]
    if not whole.left_out:
        return []
    first = "; ".join(f"{shown(name)} {why}" for name, why in list(whole.left_out.items())[:3])
    text = f"{len(whole.left_out):,} of {counted(len(table.ids), 'series', 'series')} will be left out: {first}"
    return [Problem("S001", text, "a smaller --window, or more rows of them", refused=False)]
