"""Series that could not be trained on: a table for the terminal, and a CSV file."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from artifact import durable
from training.data.errors import counted

SHOWN = 20  # rows of the table; the file has all
WIDEST = 40  # characters of an id in the table


class Failure(NamedTuple):
    """A series that failed: its id, the name that its models would have had, and the reason."""

    series: str
    name: str
    reason: str


def table(failures: list[Failure], file: Path) -> str:
    """The failures as a table, and where all of them are."""
    rows = [Failure("series", "name", "reason"), *failures[:SHOWN]]
    widths = [min(max(len(row[k]) for row in rows), WIDEST) for k in (0, 1)]
    lines = [f"{counted(len(failures), 'series', 'series')} failed:"]
    lines += [f"  {_cut(row.series, widths[0])}  {_cut(row.name, widths[1])}  {row.reason}" for row in rows]
    more = len(failures) - SHOWN
    return "\n".join([*lines, *([f"  and {more:,} more"] if more > 0 else []), f"all of them are in {file}"])


def write(failures: list[Failure], file: Path) -> None:
    """Write the file, or remove an older one where nothing failed. Raises OSError."""
    if not failures:
        file.unlink(missing_ok=True)
        return
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(Failure._fields)
    lines.writerows(failures)
    durable.make_folder(file.parent)
    durable.replace(file, text.getvalue().encode())


def _cut(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)
