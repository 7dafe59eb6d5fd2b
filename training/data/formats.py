"""Read Parquet, Arrow, Excel and JSON into a frame of columns; `delimited` reads text."""

import io
from typing import Any

import fastexcel
import polars as pl

from training.data.delimited import read_delimited
from training.data.errors import SeriesError, listed, shown
from training.data.frame import Frame, unique_names
from training.data.layout import Request, find_layout
from training.data.source import Source


def read_frame(source: Source, asked: Request, written: dict[str, Any], sheet: str | None) -> Frame:
    """The columns of a source of any format. `written`: delimiter, decimal and encoding of a text, from flags.

    Raises SeriesError if the source is not a table.
    """
    if source.kind == "text":
        return read_delimited(source, asked, **written)
    if source.kind == "excel":
        return _read_excel(source, asked, sheet)
    reader = {"parquet": _parquet, "arrow": _arrow, "json": _json}[source.kind]
    try:
        columns = reader(source.content)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise SeriesError(f"{source.name}: cannot be read as {source.kind}: {str(error).splitlines()[0]}") from None
    if columns.is_empty():
        raise SeriesError(f"{source.name}: has no rows; its columns are {listed(columns.columns)}")
    columns.columns = unique_names(source.name, columns.columns)
    flat = columns.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    found = {"format": source.kind, "compression": source.compression}
    line = "line" if source.kind == "json" and source.content.lstrip()[:1] == b"{" else "row"
    return Frame(source.name, flat, found, lambda row: f"{line} {row + 1}")


def _parquet(content: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(content))


def _arrow(content: bytes) -> pl.DataFrame:
    if content.startswith(b"ARROW1"):
        return pl.read_ipc(io.BytesIO(content))
    return pl.read_ipc_stream(io.BytesIO(content))


def _json(content: bytes) -> pl.DataFrame:
    content = content.removeprefix(b"\xef\xbb\xbf")
    if content.lstrip().startswith(b"["):
        return pl.read_json(io.BytesIO(content), infer_schema_length=None)
    return pl.read_ndjson(io.BytesIO(content), infer_schema_length=None)


def _read_excel(source: Source, asked: Request, sheet: str | None) -> Frame:
    try:
        book = fastexcel.read_excel(source.content)
        name = sheet or _only_sheet(source.name, book)
        cells = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        known = f"; --sheet names one of {listed(book.sheet_names)}" if "book" in locals() else ""
        raise SeriesError(f"{source.name}: {str(error).splitlines()[0]}{known}") from None
    where = f"{source.name}, sheet {shown(name)}"
    head = [(number, [cell or "" for cell in row]) for number, row in enumerate(cells.head(500).iter_rows(), 1)]
    records = [record for record in head if any(cell.strip() for cell in record[1])]
    layout = find_layout(where, records, asked, "row")
    if layout.first is None:
        raise SeriesError(f"{where}: has a row of names ({listed(layout.names)}) and no rows below it")
    above = layout.first - 1
    columns = cells.slice(above).select(cells.columns[: len(layout.names)])
    columns.columns = layout.names
    found = {"format": "Excel", "compression": source.compression, "sheet": name}
    return Frame(where, columns, found, lambda row: f"row {above + row + 1}", layout.notes)


def _only_sheet(name: str, book: fastexcel.ExcelReader) -> str:
    filled = [sheet for sheet in book.sheet_names if book.load_sheet(sheet, header_row=None, dtypes="string").height]
    if len(filled) == 1:
        return filled[0]
    raise SeriesError(f"{name}: has {len(filled)} sheets with cells ({listed(filled)}); type --sheet NAME")
