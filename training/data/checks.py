"""Checks of training data: constant series, too few rows, numbers that float32 cannot tell apart."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.data.errors import SeriesError, counted, shown
from training.data.rows import Rows, first_end
from training.data.table import Integers, Table
from training.values import Values

MIN_ROWS = 20
MIN_TRAINED = 10
LARGEST = 1e18  # a variance needs squares, and float32 overflows at 3.4e38
SMALLEST = 1e-30  # squares of a series that is smaller everywhere are below float32's least number, 1e-45, and become 0
ROUNDING = 0.05  # of the mean step from row to row may be lost in rounding to float32


def usable(table: Table, window: int, horizon: int) -> Table:
    """The table without the series that cannot be trained on; these are in `left_out`, with the reason.

    Raises SeriesError if the only series, or every one, cannot be used.
    """
    if not len(table.values):
        raise SeriesError(f"{table.name}: column {shown(table.column)} has no values")
    _check_size(table)
    reasons = unusable(table, window, horizon)
    if not reasons:
        return table
    out = np.isin(table.owners, [number for number, name in enumerate(table.ids) if name in reasons])
    if len(reasons) == len(table.ids):
        if len(table.ids) == 1 and "in one piece" in reasons[table.ids[0]]:
            return table  # `check_rows` reports it as a number of windows
        raise SeriesError(_unusable(table, reasons))
    return _without(table, out, reasons)


def unusable(table: Table, window: int, horizon: int) -> dict[str, str]:
    """The series, by id, that cannot be trained on, and why.

    A series needs a stretch of two windows with their targets, must not be constant, and float32 must tell its values
    apart.
    """
    needed = first_end(window, horizon) + horizon + 2
    longest = np.zeros(len(table.ids), np.int64)
    np.maximum.at(longest, table.owners, table.lengths)
    short, flat, rough = longest < needed, _constant(table), _rounded(table)
    reasons = {}
    for owner in np.flatnonzero(short | flat | rough):
        reason = _reason(table, int(owner), flat=bool(flat[owner]), rough=bool(rough[owner] and not short[owner]))
        reasons[table.ids[owner]] = reason or f"has {counted(int(longest[owner]), 'row')} in one piece, needs {needed}"
    return reasons


def check_rows(rows: Rows, held_out: float, horizon: int) -> None:
    """Raise SeriesError if there are too few windows, or those to train on do not vary."""
    name, column = (rows.table.name, rows.table.column) if rows.table else ("", "")
    where = f"{name}: column {shown(column)}: "
    ahead = f" at horizon {horizon}" if horizon > 1 else ""
    longest = _longest_horizon(rows, held_out, horizon)
    nearer = f"--horizon {longest} or less" if longest else ""
    if len(rows.targets) < MIN_ROWS:
        values = counted(len(rows.values), "value")
        made = f"{values} make {counted(len(rows.targets), 'window')} of {rows.window}"
        raise SeriesError(f"{where}{made}{ahead}; at least {MIN_ROWS} are needed{nearer and f': type {nearer}'}")
    trained, _ = rows.split(held_out, horizon)
    if len(trained.targets) < MIN_TRAINED:
        left = counted(len(trained.targets), "row")
        total = len(rows.targets)
        share = _largest_share(total, horizon)
        smaller = f"--held-out {share:g} or less" if share > 0 else ""
        mend = ", or ".join(filter(None, (smaller, nearer)))
        raise SeriesError(
            f"{where}--held-out {held_out:g}{ahead} leaves {left} of {total} to train on; at least {MIN_TRAINED} are "
            f"needed: {f'type {mend}' if mend else 'give a longer series'}"
        )
    for what, numbers in (("", trained.values[trained.last]), ("the target ", trained.targets)):
        if float(numbers.min()) == float(numbers.max()):
            raise SeriesError(
                f"{where}{what}does not change in the {len(numbers)} rows to train on ({numbers[0]:g} in each), only "
                f"in the others: give a longer series, or a smaller --held-out than {held_out:g}"
            )


def _longest_horizon(rows: Rows, held_out: float, horizon: int) -> int:
    """The longest horizon below `horizon` for which one series without gaps has enough rows; 0 if there is none."""
    if rows.table is None or len(rows.table.starts) > 1:
        return 0

    def is_enough(shorter: int) -> bool:
        total = len(rows.values) - rows.window + 1 - shorter
        return total >= MIN_ROWS and int(total * (1 - held_out)) - (shorter - 1) >= MIN_TRAINED

    return next(filter(is_enough, range(min(horizon - 1, len(rows.values)), 0, -1)), 0)


def _largest_share(total: int, horizon: int) -> float:
    """The largest share of rows, in hundredths, that may be held out; 0 or less if none may be."""
    return math.floor((total - MIN_TRAINED - horizon) / total * 100) / 100


def _check_size(table: Table) -> None:
    columns: list[tuple[str, Values]] = [(table.column, table.values), (table.target, table.targets)]
    for column, numbers in columns:
        largest = float(np.abs(numbers).max())
        if largest > LARGEST:
            power = int(np.floor(np.log10(largest)))
            raise SeriesError(
                f"{table.name}: column {shown(column)}: {largest:g} is larger than {LARGEST:g}, too large for float32 "
                f"to be trained with; divide the column by 1e{power}"
            )
        if 0 < largest < SMALLEST:
            raise SeriesError(
                f"{table.name}: column {shown(column)}: no value is larger than {largest:g}, too small for float32; "
                f"multiply the column by 1e{-int(np.floor(np.log10(largest)))}"
            )


def _constant(table: Table) -> NDArray[np.bool_]:
    """(series,): whether the values or the targets of a series are all the same."""
    return _is_flat(table, table.values) | (
        _is_flat(table, table.targets) if table.targets is not table.values else False
    )


def _is_flat(table: Table, values: Values) -> NDArray[np.bool_]:
    low, high = np.full(len(table.ids), np.inf), np.full(len(table.ids), -np.inf)
    np.minimum.at(low, table.owners, np.minimum.reduceat(values, table.starts))
    np.maximum.at(high, table.owners, np.maximum.reduceat(values, table.starts))
    flat: NDArray[np.bool_] = low >= high
    return flat


def _rounded(table: Table) -> NDArray[np.bool_]:
    """(series,): whether rounding to float32 changes the values by more than 5 % of their mean step."""
    rough = np.zeros(len(table.ids), np.bool_)
    for values in (table.values,) if table.targets is table.values else (table.values, table.targets):
        error = _sums(table, np.abs(values - values.astype(np.float32)))
        steps = np.abs(np.diff(values, append=values[-1]))
        steps[table.starts[1:] - 1] = 0
        rough |= error > ROUNDING * _sums(table, steps)
    return rough


def _sums(table: Table, values: Values) -> Values:
    sums: Values = np.bincount(table.owners, np.add.reduceat(values, table.starts), len(table.ids)).astype(np.float64)
    return sums


def _reason(table: Table, owner: int, *, flat: bool, rough: bool) -> str:
    if flat:
        values = table.values[table.starts[np.argmax(table.owners == owner)]]
        return f"is constant ({values:g} in every row)"
    if not rough:
        return ""
    stretch = int(np.argmax(table.owners == owner))
    part = slice(int(table.starts[stretch]), int(table.starts[stretch] + table.lengths[stretch]))
    values = table.values[part]
    spacing = np.spacing(np.float32(np.abs(values).max()))
    step = float(np.abs(np.diff(values)).mean())
    return (
        f"changes by {step:.3g} from row to row, but float32, in which networks compute, has only steps of {spacing:g} "
        f"near {values[-1]:.10g}; subtract {np.floor(values.min()):.0f} from the column"
    )


def _unusable(table: Table, reasons: dict[str, str]) -> str:
    where = f"{table.name}: column {shown(table.column)}"
    if len(reasons) == 1:
        return f"{where} {next(iter(reasons.values()))}"
    first = "; ".join(f"{shown(name)} {reason}" for name, reason in list(reasons.items())[:3])
    return f"{where}: none of the {len(reasons)} series can be trained on: {first}"


def _without(table: Table, out: NDArray[np.bool_], reasons: dict[str, str]) -> Table:
    rows = np.repeat(~out, table.lengths)
    values = table.values[rows]
    targets = values if table.targets is table.values else table.targets[rows]
    starts: Integers = np.concatenate([[0], np.cumsum(table.lengths[~out])[:-1]]).astype(np.int64)
    times = None if table.times is None else table.times[rows]
    smaller = replace(table, values=values, targets=targets, times=times, starts=starts, owners=table.owners[~out])
    return replace(smaller, left_out=reasons)
