"""Windows that end before the newest values of each series, and these values as the actuals of their steps."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.data.table import Table
from training.values import Values


class Shape(NamedTuple):
    """What a model takes and answers. horizon: rows from the window's last value to the first step."""

    window: int
    steps: int
    horizon: int


class ActualRows(NamedTuple):
    """windows: (rows, window). actuals: (rows, steps), NaN for what is not there yet or is not to be scored."""

    windows: Values
    actuals: Values


def actual_rows(table: Table, shape: Shape, last: int) -> ActualRows:
    """All windows for which one of the `last` newest values of a series is one of the steps.

    Each of these values is an actual as many times as there are steps, once 1 step ahead, once 2, and so on, as far
    as the series reaches back. No window and no step reaches over the start of a stretch.
    """
    parts = list(_parts(table, shape, last))
    if not parts:
        return ActualRows(np.empty((0, shape.window)), np.empty((0, shape.steps)))
    return ActualRows(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _parts(table: Table, shape: Shape, last: int) -> Iterator[ActualRows]:
    begins, ends = table.starts, np.append(table.starts[1:], len(table.values))
    series_ends = {int(owner): int(end) for owner, end in zip(table.owners, ends, strict=True)}  # of the last stretch
    ahead = shape.horizon + np.arange(shape.steps)
    for owner, begin, end in zip(table.owners.tolist(), begins.tolist(), ends.tolist(), strict=True):
        oldest = series_ends[owner] - last  # the first value to be scored
        first = max(begin + shape.window - 1, oldest - int(ahead[-1]))
        window_ends = np.arange(first, end - shape.horizon)
        if not len(window_ends):
            continue
        places = window_ends[:, None] + ahead
        is_scored = (places < end) & (places >= oldest)
        actuals = np.where(is_scored, table.targets[np.minimum(places, end - 1)], np.nan)
        windows = table.values[window_ends[:, None] - np.arange(shape.window)[::-1]]
        yield ActualRows(windows[is_scored.any(axis=1)], actuals[is_scored.any(axis=1)])
