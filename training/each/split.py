"""One table for each series of a table."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from training.data.table import Table

COUNTED = ("missing_times", "missing_values", "longest_gap")  # over all series of the table


def tables_of(table: Table) -> Iterator[Table]:
    """The series one by one, each as a table of its own, as if the file had no other rows."""
    firsts = np.flatnonzero(np.diff(table.owners, prepend=-1))
    for first, last in zip(firsts, [*firsts[1:], len(table.starts)], strict=True):
        begin = int(table.starts[first])
        end = int(table.starts[last]) if last < len(table.starts) else len(table.values)
        rows = slice(begin, end)
        values = table.values[rows].copy()
        yield replace(
            table,
            ids=[table.ids[int(table.owners[first])]],
            values=values,
            targets=values if table.targets is table.values else table.targets[rows].copy(),
            times=None if table.times is None else table.times[rows].copy(),
            starts=table.starts[first:last] - begin,
            owners=np.zeros(last - first, np.int64),
            read=_read(table.read, end - begin),
            notes=[],
            problems=[],
            columns=[],
        )


def _read(read: dict[str, Any], rows: int) -> dict[str, Any]:
    """What was decided about the table, without counts of gaps and duplicates, which may be those of other series."""
    found = {key: value for key, value in read.items() if key not in COUNTED or not value}
    ways = {key: str(read[key]).rpartition(": ")[2] for key in ("gaps", "duplicates") if key in read}
    return found | ways | {"series": 1, "rows": rows}
