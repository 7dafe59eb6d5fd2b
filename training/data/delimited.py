"""Delimited text to a frame of text columns, read by Polars; errors name the line that is not part of a table."""

import csv
import io
from collections.abc import Callable, Iterator
from functools import cache

import polars as pl

from training.data.dialect import NAMES, SAMPLE, Dialect, Record, sniff
from training.data.encoding import to_utf8
from training.data.errors import SeriesError, counted, listed, shown
from training.data.frame import Frame
from training.data.layout import NUMBER, Layout, Request, find_layout
from training.data.source import Source


def read_delimited(
    source: Source, asked: Request, delimiter: str | None, decimal: str | None, encoding: str | None
) -> Frame:
    """Read every column as text. Raises SeriesError with the line if the text is not a table."""
    content, encoding = to_utf8(source.name, source.content, encoding)
    ends = _line_ends(content)
    content = content.replace(b"\r", b"\n") if ends == "CR" else content
    if not content.strip():
        raise SeriesError(f"{source.name}: is empty")
    dialect = sniff(_sample(content), delimiter, decimal)
    records = _records(source.name, content, dialect)
    layout = find_layout(source.name, records, asked)
    _refuse_spaces(source.name, records, layout)
    columns = _parse(source.name, content, dialect, layout)
    notes = [*layout.notes, *_comments(content, dialect)]
    found = {"format": "CSV", "compression": source.compression, "encoding": encoding, "line_ends": ends}
    found |= {"delimiter": NAMES.get(dialect.delimiter, dialect.delimiter), "quote": dialect.quote}
    return Frame(source.name, columns, found, _places(content, dialect, layout), notes)


def _refuse_spaces(name: str, records: list[Record], layout: Layout) -> None:
    """Raise SeriesError if the names and all rows are the same number of words, separated by spaces."""
    words = {len(cells[0].split()) for _, cells in records if cells}
    if len(layout.names) == 1 and len(words) == 1 and words != {1} and layout.first is not None:
        numbers = next(cells[0] for number, cells in records if number >= layout.first).split()
        if all(NUMBER.match(word) for word in numbers):
            raise SeriesError(
                f"{name}, line {layout.first}: {shown(' '.join(numbers))} has {len(numbers)} cells with spaces between "
                "them; type --delimiter ' ' if there is one space, else put commas between them"
            )


def _line_ends(content: bytes) -> str:
    start = content[:SAMPLE]
    return "CRLF" if b"\r\n" in start else "CR" if b"\r" in start and b"\n" not in content else "LF"


def _sample(content: bytes) -> str:
    end = len(content) if len(content) <= SAMPLE else content.rfind(b"\n", 0, SAMPLE) + 1 or SAMPLE
    return content[:end].decode(errors="replace").replace("\r\n", "\n")


def _records(name: str, content: bytes, dialect: Dialect) -> list[tuple[int, list[str]]]:
    lines = _sample(content).splitlines(keepends=True)
    for _ in range(10):
        try:
            return dialect.records(lines)
        except csv.Error:
            # A cell with line breaks may span the end of the sample; an open quote shows only in the whole file.
            if len(content) <= SAMPLE:
                break
            lines = lines[:-1]
    raise SeriesError(_no_csv(name, content, dialect) or f"{name}: is not CSV: its quotes do not match")


def _parse(name: str, content: bytes, dialect: Dialect, layout: Layout) -> pl.DataFrame:
    if layout.first is None:
        raise SeriesError(f"{name}: has a line of names ({listed(layout.names)}) and no rows")
    start = _offset(content, layout.first - 1)
    names = [*layout.names, *(f"\0{k}" for k in range(layout.width - len(layout.names)))]
    try:
        table = pl.read_csv(
            memoryview(content)[start:].tobytes() if start else content,
            has_header=False,
            separator=dialect.delimiter,
            quote_char=dialect.quote,
            comment_prefix=dialect.comment,
            infer_schema=False,
            schema=dict.fromkeys(names, pl.String),
            missing_columns="insert",
        )
    except pl.exceptions.PolarsError:
        problem = _no_csv(name, content, dialect, len(names))
        if problem is not None:
            raise SeriesError(problem) from None
        table = _parse_slowly(content, dialect, layout.first, names)
    extra = [column for column in names if column.startswith("\0")]
    filled = [column for column in extra if (table[column].fill_null("").str.strip_chars() != "").any()]
    if filled:
        raise SeriesError(_no_csv(name, content, dialect, len(layout.names)) or f"{name}: is not CSV")
    return table.drop(extra)


def _parse_slowly(content: bytes, dialect: Dialect, first: int, names: list[str]) -> pl.DataFrame:
    """Parse with Python's csv module a text that Polars refuses, such as one with an inch mark inside a cell."""
    rows = (cells for number, cells in _numbered(content, dialect) if number >= first)
    padded = [[*cells, *[None] * (len(names) - len(cells))] for cells in rows]
    return pl.DataFrame(padded, schema=dict.fromkeys(names, pl.String), orient="row")


def _offset(content: bytes, lines: int) -> int:
    position = 0
    for _ in range(lines):
        position = content.find(b"\n", position) + 1 or len(content)
    return position


def _no_csv(name: str, content: bytes, dialect: Dialect, width: int | None = None) -> str | None:
    """The reason why the text is not a table: its first open quote or first row that is too wide; else None."""
    number = 0
    try:
        for number, cells in _numbered(content, dialect):
            if width is not None and len(cells) > width and any(cell.strip() for cell in cells[width:]):
                return (
                    f"{name}, line {number}: has {len(cells)} cells under {counted(width, 'column')} "
                    f"({listed(cells)}); put quotes around a cell that holds the delimiter"
                )
    except csv.Error as error:
        problem = "a quote is opened and not closed" if "unexpected end" in str(error) else str(error)
        return f"{name}, line {number + 1} or below: is not CSV: {problem}"
    return None


def _numbered(content: bytes, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Every record of the file with the number of its first line; blank records are []."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    numbers: list[int] = []

    def lines() -> Iterator[str]:
        for number, line in enumerate(text):
            if not dialect.skips(number, line):
                numbers.append(number + 1)
                yield line

    reader = csv.reader(lines(), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    for cells in reader:
        yield numbers[0], cells
        numbers.clear()


def _places(content: bytes, dialect: Dialect, layout: Layout) -> Callable[[int], str]:
    first = layout.first or 1

    @cache
    def place(row: int) -> str:
        rows = (number for number, _ in _numbered(content, dialect) if number >= first)
        return f"line {next(number for k, number in enumerate(rows) if k == row)}"

    return place


def _comments(content: bytes, dialect: Dialect) -> list[str]:
    if dialect.comment is None:
        return []
    count = content.count(b"\n#") + content.startswith(b"#")
    return [f"{counted(count, 'comment line')} skipped"]
