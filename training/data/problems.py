"""Problems of a table: messages with what is wrong, where it begins, and the flags that decide."""

import numpy as np
import polars as pl

from training.data.errors import counted, shown
from training.data.frame import Frame
from training.data.frequency import HOUR, Frequency
from training.data.gaps import Gaps
from training.data.moments import written
from training.data.order import Observations
from training.data.roles import Roles
from training.data.table import Problem
from training.data.times import DAY, Times, Unit, looks_like_times, read_times

FIRST = 3  # number of duplicated times in a message
STACKED = 0.2  # share of rows with a duplicated time above which a table has several series
SUNDAY, CHANGES = 6, (3, 4, 9, 10, 11)  # months in which clocks are put back, on either hemisphere
DUPLICATES = "type --duplicates last, mean or sum"
GAPS = "type --gaps interpolate, previous, zero or split (no window reaches over a gap)"


def at(tick: int, unit: Unit | None) -> str:
    """A time for messages, without a time of day, seconds or microseconds of zero."""
    if unit in (None, "step"):
        return str(tick)
    text = str(np.datetime64(tick, "us")).replace("T", " ")
    text = text.removesuffix(".000000").removesuffix(":00")
    return text[11:] if unit == "clock" else text.removesuffix(" 00:00")


def disorder(frame: Frame, roles: Roles) -> list[Problem]:
    """Problem T001: a column of dates runs backwards, and the rows are used in file order."""
    for name in frame.columns.columns:
        if name in (roles.value, roles.target, roles.id) or not looks_like_times(frame.columns[name]):
            continue
        cells = frame.columns[name]
        found = read_times(frame, name, None) if not written_blank(cells) else None
        first = found[0] if isinstance(found, tuple) else found
        if first is not None and len(first.ticks) > 1 and bool((np.diff(first.ticks) < 0).all()):
            text = f"{frame.name}: column {shown(name)} runs backwards, from {shown(cells[0])} to {shown(cells[-1])}"
            return [
                Problem("T001", f"{text}, so that the newest row is the first", f"type --time {name}", refused=True)
            ]
    return []


def written_blank(cells: pl.Series) -> bool:
    """Whether a text column has blank cells."""
    return cells.dtype != pl.String or bool((written(cells).text == "").any())


def duplicate_problem(
    frame: Frame, roles: Roles, found: Observations, repeats: np.ndarray, ids: list[str], times: Times | None
) -> Problem:
    """Problem D001: duplicated times, with the first three; or, if many are, several series in one table."""
    where = [_one(frame, roles, found, int(row), ids, times) for row in repeats[:FIRST]]
    count = counted(len(repeats), "row has", "rows have")
    text = f"{frame.name}: {count} a time that was there already: {'; '.join(where)}"
    flags = DUPLICATES
    if roles.id is None and len(repeats) > STACKED * len(found.ticks):
        candidates = _candidates(frame, roles)
        named = f"type --id {candidates[0]}" if candidates else "name the column that tells them apart with --id"
        text = f"{text}; several series may stand below each other"
        flags = f"{named}, or {DUPLICATES.removeprefix('type ')}"
    elif times is not None and _is_autumn(found.wall[repeats], times):
        text += "; the clocks were put back then"
        flags = f"name the time zone, as --time-zone Europe/Berlin, or {DUPLICATES}"
    return Problem("D001", text, flags, refused=True)


def _one(frame: Frame, roles: Roles, found: Observations, row: int, ids: list[str], times: Times | None) -> str:
    series = f" of {shown(ids[found.owners[row]])}" if roles.id else ""
    lines = f"{frame.place(int(found.rows[row - 1]))} and {frame.place(int(found.rows[row]))}"
    return f"{at(int(found.wall[row]), times.unit if times else None)}{series} on {lines}"


def _candidates(frame: Frame, roles: Roles) -> list[str]:
    """Columns that distinguish the rows with the same time, candidates for --id."""
    taken = {roles.value, roles.target, roles.time}
    free = [name for name in frame.columns.columns if name not in taken]
    rows = frame.columns.height
    return [
        name
        for name in free
        if frame.columns[name].n_unique() * 2 < rows and frame.columns.select(name, str(roles.time)).n_unique() == rows
    ]


def _is_autumn(wall: np.ndarray, times: Times) -> bool:
    """Whether clocks may be put back at all of the times: from 0 to 3 on a Sunday of spring or autumn."""
    if times.unit != "time" or "zone" in times.how:
        return False
    days = wall // DAY
    months = wall.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return bool(((days + 3) % 7 == SUNDAY).all() and (wall % DAY < DAY // 8).all() and np.isin(months, CHANGES).all())


def gap_problem(
    frame: Frame,
    roles: Roles,
    found: Observations,
    gaps: Gaps,
    ids: list[str],
    times: Times | None,
    frequency: Frequency | None,
) -> Problem:
    """Problems D002 and D003: the number of missing times and values, the first one, and the longest gap."""
    parts = []
    if gaps.times:
        row = gaps.before
        series = f" in {shown(ids[found.owners[row]])}" if roles.id else ""
        before, after = (at(int(found.wall[k]), times.unit if times else None) for k in (row - 1, row))
        step = frequency.words if frequency else "step"
        count = counted(gaps.times, "time is", "times are")
        parts.append(
            f"{count} missing (frequency: {step}), the first between {before} and {after}{series} "
            f"({frame.place(int(found.rows[row]))})"
        )
    if gaps.values:
        row = gaps.first
        column = roles.value if np.isnan(found.values[row]) else roles.target
        text = frame.columns[column][int(found.rows[row])]
        said = shown(str(text).strip()) if text is not None and str(text).strip() else "empty"
        count = counted(gaps.values, "value is", "values are")
        where = f"{frame.place(int(found.rows[row]))}, column {shown(column)}"
        parts.append(f"{count} missing: the first on {where}, which is {said}")
    parts.append(f"the longest gap is {counted(gaps.longest, 'row')}")
    flags = GAPS
    if times is not None and gaps.times and not gaps.values and _is_spring(found, gaps, times):
        parts.append("the clocks were put forward then")
        flags = f"name the time zone, as --time-zone Europe/Berlin, or {GAPS}"
    return Problem("D002" if gaps.times else "D003", f"{frame.name}: {'; '.join(parts)}", flags, refused=True)


def _is_spring(found: Observations, gaps: Gaps, times: Times) -> bool:
    """Whether every gap is the hour skipped when clocks are put forward: before 4 on a Sunday morning."""
    after = np.flatnonzero(found.same & (np.diff(gaps.positions) > 1)) + 1
    wall, before = found.wall[after], found.wall[after - 1]
    hour = bool((wall - before <= 2 * HOUR).all() and (wall % DAY <= 4 * HOUR).all())
    return times.unit == "time" and "zone" not in times.how and hour and bool(((wall // DAY + 3) % 7 == SUNDAY).all())
