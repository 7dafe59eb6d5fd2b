"""Read a file into a `Table`: roles, numbers, times, order, duplicates, frequency, gaps, in this order."""

from typing import Any

import numpy as np
import polars as pl

from training.data.compose import with_one_time
from training.data.errors import SeriesError, counted, shown
from training.data.formats import read_frame
from training.data.frame import Frame, without_empty_rows
from training.data.frequency import Frequency, find_frequency, named_frequency
from training.data.gaps import fill, find_gaps, split, starts_of
from training.data.layout import Request
from training.data.numbers import Numbers, read_numbers
from training.data.order import Observations, duplicated, in_order, merged
from training.data.problems import disorder, duplicate_problem, gap_problem
from training.data.roles import NONE, Named, Roles, find_roles
from training.data.source import read_source
from training.data.table import Problem, Table
from training.data.times import DAY, Times, in_zone, read_times
from training.series_config import SeriesConfig

MAX_REGULAR = 2_000_000  # maximum number of rows for which the frequency decides between two readings of a date


def read_table(config: SeriesConfig) -> Table:
    """Read the table that `config` names. Raises SeriesError for the first problem that a flag has to decide."""
    table = understand(config)
    for problem in table.problems:
        if problem.refused:
            raise SeriesError(f"{problem.text}; {problem.flags}")
    return table


def understand(config: SeriesConfig) -> Table:
    """Read the table that `config` names, with its problems. Raises SeriesError if it cannot be read at all.

    The problems include whatever a flag has to decide. Without the flag the last of duplicated rows is used, and gaps
    split a series.
    """
    frame, roles = open_frame(config)
    decimal = config.decimal
    value = read_numbers(frame, roles.value, decimal)
    target = value if roles.target == roles.value else read_numbers(frame, roles.target, decimal)
    ids, owners = _owners(frame, roles.id)
    times = _times(frame, roles, config, owners)
    found = _observations(value, target, owners, times)
    return _arranged(frame, roles, config, (value, target), ids, times, found)


def open_frame(config: SeriesConfig) -> tuple[Frame, Roles]:
    """The columns of the file and their roles."""
    if config.data is None:
        raise SeriesError("no --data is given")
    asked = Request(config.header_line, config.no_header, config.units_line)
    written = {"delimiter": config.delimiter, "decimal": config.decimal, "encoding": config.encoding}
    frame = read_frame(read_source(config.data), asked, written, config.sheet)
    between = without_empty_rows(frame, at_end=True)
    whole = without_empty_rows(between, at_end=False)
    if whole.columns.is_empty():
        raise SeriesError(f"{frame.name}: has columns and no rows")
    named = Named(config.column, config.target, config.time, config.id)
    whole = whole if config.time else with_one_time(whole, {config.column, config.target, config.id})
    roles = find_roles(whole, named)
    # With times a blank row is not an observation; without times it is a missing value.
    return (between if roles.time is None else whole), roles


def _owners(frame: Frame, column: str | None) -> tuple[list[str], np.ndarray]:
    """The series ids in the order of the file, and the series number of each row."""
    if column is None:
        return [""], np.zeros(frame.columns.height, np.int64)
    cells = frame.columns[column]
    text = cells if cells.dtype == pl.String else cells.cast(pl.String)
    missing = (text.fill_null("").str.strip_chars() == "").arg_true()
    if len(missing):
        raise SeriesError(f"{frame.where(int(missing[0]), column)}: the id is missing; fill it in or leave the row out")
    names = text.unique(maintain_order=True)
    return names.to_list(), text.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)


def _times(frame: Frame, roles: Roles, config: SeriesConfig, owners: np.ndarray) -> Times | None:
    if roles.time is None:
        return None
    found = read_times(frame, roles.time, config.time_format)
    times = found if isinstance(found, Times) else _the_regular_one(frame, roles.time, found, owners)
    return _zoned(times, config.time_zone, owners) if config.time_zone else times


def _zoned(times: Times, zone: str, owners: np.ndarray) -> Times:
    if "zone" in times.how or times.unit != "time":
        return times  # the texts have their own zone
    keys = pl.DataFrame({"owner": owners, "wall": times.wall})
    pair = pl.struct("owner", "wall")
    first = keys.select(pair.is_first_distinct()).to_series().to_numpy()
    falls = len(times.wall) > 1 and times.wall[0] > times.wall[-1]
    last = keys.select(pair.is_last_distinct()).to_series().to_numpy() if falls else first
    return in_zone(times, zone, last)


def _the_regular_one(frame: Frame, column: str, pair: tuple[Times, Times], owners: np.ndarray) -> Times:
    """Of two readings of a date the one with equal steps, if the other one has different steps."""
    regular = [times for times in pair if _is_regular(times, owners)]
    if len(regular) == 1:
        return regular[0]
    text = frame.columns[column][0]
    raise SeriesError(
        f"{frame.where(0, column)}: {shown(text)} may have the day or the month first, and no other row tells which; "
        "type --time-format day-first or --time-format month-first"
    )


def _is_regular(times: Times, owners: np.ndarray) -> bool:
    if len(owners) > MAX_REGULAR:
        return False
    order = np.lexsort((times.ticks, owners))
    same = np.diff(owners[order]) == 0
    ticks, wall = times.ticks[order], times.wall[order]
    if not same.any() or bool((np.diff(ticks)[same] == 0).any()):
        return False
    frequency = find_frequency(ticks, wall, same, times.unit)
    return frequency is not None and bool((np.diff(frequency.positions(wall))[same] == 1).all())


def _observations(value: Numbers, target: Numbers, owners: np.ndarray, times: Times | None) -> Observations:
    values = value.values.to_numpy()
    targets = values if target is value else target.values.to_numpy()
    rows = np.arange(len(values))
    if times is None:
        order = np.argsort(owners, kind="stable")
        sorted_owners, sorted_values = owners[order], values[order]
        index = rows - np.searchsorted(sorted_owners, sorted_owners)
        sorted_targets = sorted_values if target is value else targets[order]
        return Observations(sorted_owners, index, index, sorted_values, sorted_targets, order)
    return Observations(owners, times.ticks, times.wall, values, targets, rows)


def _arranged(
    frame: Frame,
    roles: Roles,
    config: SeriesConfig,
    numbers: tuple[Numbers, Numbers],
    ids: list[str],
    times: Times | None,
    found: Observations,
) -> Table:
    problems: list[Problem] = disorder(frame, roles) if times is None else []
    found, order = in_order(found)
    repeats = duplicated(found)
    if len(repeats):
        if config.duplicates is None:
            problems.append(duplicate_problem(frame, roles, found, repeats, ids, times))
        found = merged(found, repeats, config.duplicates or "last")
    frequency = _frequency(config, found, times)
    local = frequency is not None and (frequency.kind not in ("fixed", "step") or frequency.size >= DAY)
    gaps = find_gaps(found, frequency, local=local)
    if (gaps.times or gaps.values) and config.gaps is None:
        problems.append(gap_problem(frame, roles, found, gaps, ids, times, frequency))
    if config.gaps in (None, "split") or not (gaps.times or gaps.values):
        found, starts = split(found, gaps)
    else:
        found = fill(found, gaps, frequency, config.gaps)
        starts = starts_of(found)
    read = _read(frame, roles, numbers, times, order, frequency)
    read |= {"duplicates": _done(len(repeats), config.duplicates), "gaps": _done(gaps.times + gaps.values, config.gaps)}
    read |= {"missing_times": gaps.times, "missing_values": gaps.values, "longest_gap": gaps.longest}
    read |= {"series": len(ids), "rows": frame.columns.height}
    return Table(
        name=frame.name,
        column=roles.value,
        target=roles.target,
        ids=ids,
        values=found.values,
        targets=found.targets,
        times=found.ticks if times else None,
        starts=starts,
        owners=found.owners[starts],
        unit=times.unit if times else "step",
        frequency=frequency,
        read=read,
        notes=_notes(frame, roles, order, config, len(repeats)),
        problems=problems,
        columns=roles.columns,
    )


def _frequency(config: SeriesConfig, found: Observations, times: Times | None) -> Frequency | None:
    if times is None or config.frequency == NONE:
        return None
    if config.frequency:
        return named_frequency(config.frequency)
    return find_frequency(found.ticks, found.wall, found.same, times.unit)


def _read(
    frame: Frame,
    roles: Roles,
    numbers: tuple[Numbers, Numbers],
    times: Times | None,
    order: str,
    frequency: Frequency | None,
) -> dict[str, Any]:
    """Decisions about the table for the card, without those for which there was no choice."""
    dialect = {key: value for key, value in frame.dialect.items() if value is not None}
    roles_found = {"value": roles.value, "target": roles.target, "time": roles.time, "id": roles.id}
    shown_times = {"time_" + key: value for key, value in (times.how if times else {}).items()}
    found: dict[str, Any] = {"dialect": dialect, "roles": roles_found, "numbers": numbers[0].how, **shown_times}
    if roles.target != roles.value:
        found["target_numbers"] = numbers[1].how
    found["frequency"] = frequency.name if frequency else None
    found["season"] = frequency.season if frequency else 1
    return found | {"order": order if times else "as in the file"}


def _done(count: int, way: str | None) -> str:
    return "none" if not count else f"{count}: {way}" if way else f"{count}: not decided"


def _notes(frame: Frame, roles: Roles, order: str, config: SeriesConfig, repeats: int) -> list[str]:
    notes = [note for note in frame.notes if note]
    if roles.time is None:
        notes.append("no column of times: the rows are taken as they stand, oldest first")
    if order == "newest first":
        notes.append("newest row first: turned round, oldest first")
    if order == "mixed":
        notes.append("rows were not in the order of their times: sorted")
    if repeats and config.duplicates:
        notes.append(f"{counted(repeats, 'row')} of a time that was there already: {config.duplicates} taken")
    return notes
