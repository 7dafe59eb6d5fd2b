"""Layout of a table within rows of cells: title lines, the line of names, row numbers, empty last columns."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from training.data.errors import SeriesError, counted, listed, shown
from training.data.frame import unique_names

Cells = list[str]
NUMBER = re.compile(r"[-+]?[^\w.,]?\d[\d.,' ]*([eE][-+]?\d+)?\s?%?$")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ]\d{1,2}:\d{2}.*)?$")
TITLED = 20  # lines within which the table must begin


@dataclass(frozen=True)
class Layout:
    """The column names of a table, and the line, from 1, on which its data begins; None if there is no data.

    width: number of cells of a record, more than the number of names if the last cells are always empty.
    """

    names: list[str]
    first: int | None
    width: int
    notes: list[str]


@dataclass(frozen=True)
class Request:
    """Layout given by flags: the line of names from 1, whether there is none, whether a line of units follows it."""

    header_line: int | None = None
    no_header: bool = False
    units_line: bool = False


def find_layout(name: str, records: list[tuple[int, Cells]], asked: Request, line: str = "line") -> Layout:
    """The layout of `records`: (line number, cells) from the file's beginning, without blank ones.

    Raises SeriesError if the layout is ambiguous: lines above the names, names that look like data, rows that are
    wider than the names.
    """
    records = [(number, cells) for number, cells in records if number >= (asked.header_line or 0)]
    if not records:
        raise SeriesError(f"{name}: has no rows" if asked.header_line is None else f"{name}: ends before --header-line")
    number, header = records[0]
    widths = Counter(_filled(cells) for _, cells in records[1:])
    width = max(widths, key=lambda size: (widths[size], size)) if widths else _filled(header)
    if asked.header_line is None and not asked.no_header:
        _check_title(name, records, width, line)
    body = [cells for _, cells in records[1:]]
    if asked.no_header or _is_data(header, body):
        if not asked.no_header and not _surely_data(header):
            raise SeriesError(_doubtful_header(name, number, header, line))
        full = max(len(cells) for _, cells in records)
        return Layout([f"column_{k}" for k in range(1, width + 1)], number, full, ["no line of names"])
    return _with_header(name, records, asked, width, line)


def _with_header(name: str, records: list[tuple[int, Cells]], asked: Request, width: int, line: str) -> Layout:
    (number, header), body = records[0], [cells for _, cells in records[1:]]
    notes, names = [], header[: max(width, _filled(header))]
    if len(names) + 1 == width and _counts_up([cells[0] for cells in body]):
        names, notes = ["", *header], ["the first column has no name and counts the rows"]
    if width > len(names):
        raise SeriesError(_too_wide(name, records, len(names), width, line))
    data = records[1:]
    if asked.units_line and data:
        notes.append(f"units skipped: {listed([cell for cell in body[0] if cell.strip()])}")
        data = data[1:]
    first = data[0][0] if data else None
    full = max(len(cells) for _, cells in records)
    try:
        return Layout(unique_names(f"{name}, {line} {number}", names), first, full, notes)
    except SeriesError as error:
        raise SeriesError(f"{error}; the columns are {listed(names)}") from None


def _filled(cells: Cells) -> int:
    """The cells up to the last non-blank one."""
    return next((k for k in range(len(cells), 0, -1) if cells[k - 1].strip()), 0)


def _check_title(name: str, records: list[tuple[int, Cells]], width: int, line: str) -> None:
    number, header = records[0]
    if width == 1 or (_filled(header) >= width - 1 and _filled(header) > 1):
        return
    for later, cells in records[1:TITLED]:
        if _filled(cells) >= width and not _looks_like_data(cells):
            raise SeriesError(
                f"{name}, {line} {number}: {shown(header[0])} is not part of the table, which begins on {line} "
                f"{later} with {listed(cells)}; type --header-line {later}"
            )


def _is_data(header: Cells, body: list[Cells]) -> bool:
    """Whether every cell of the first line is data, and no cell of it is blank in a column with data below."""
    if any(not cell.strip() and any(k < len(c) and c[k].strip() for c in body) for k, cell in enumerate(header)):
        return False
    return any(cell.strip() for cell in header) and all(_is_datum(cell) for cell in header if cell.strip())


def _is_datum(cell: str) -> bool:
    return bool(NUMBER.match(cell.strip()) or DATE.match(cell.strip()))


def _looks_like_data(cells: Cells) -> bool:
    return any(_is_datum(cell) for cell in cells)


def _surely_data(header: Cells) -> bool:
    """Whether a cell cannot be a column name: a date with a day, or a number with decimals."""
    return any(re.match(r"\d+[-/.]\d+[-/.]\d+|[-+]?\d+[.,]\d+$", cell.strip()) for cell in header)


def _doubtful_header(name: str, number: int, header: Cells, line: str) -> str:
    return (
        f"{name}, {line} {number}: {listed(header)} look like data and not like the names of columns; "
        f"type --no-header if they are data, or --header-line {number} if they are names"
    )


def _too_wide(name: str, records: list[tuple[int, Cells]], names: int, width: int, line: str) -> str:
    number, cells = next((number, cells) for number, cells in records[1:] if _filled(cells) == width)
    decimal = ", and if the comma is the decimal sign, type --decimal ," if names == 1 else ""
    return (
        f"{name}, {line} {number}: has {width} cells under {counted(names, 'column')} ({listed(cells[:width])}); "
        "a cell that holds the delimiter, as in 1,234 or in Jan 1, 2024, needs quotes around it; "
        f"if the delimiter is another one, name it, as --delimiter ';'{decimal}"
    )


def _counts_up(cells: Cells) -> bool:
    """Whether the cells are consecutive row numbers from 0 or 1."""
    numbers: list[Any] = [int(cell) if cell.strip().isdigit() else None for cell in cells]
    return bool(numbers) and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
