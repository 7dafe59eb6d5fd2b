"""Windows to score: they end before the newest values of each series, which are the actual values of their steps."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.data.table import Table
from training.values import Values


class Shape(NamedTuple):
    """Input and output of a model. horizon: rows from the window's last value to the first step."""

    window: int
    steps: int
    horizon: int


class ActualRows(NamedTuple):
    """windows: (rows, window). actuals: (rows, steps), NaN for values that do not exist yet or are not to be scored."""

    windows: Values
    actuals: Values


def actual_rows(table: Table, shape: Shape, last: int) -> ActualRows:
    """All windows for which one of the `last` newest values of a series is one of the steps.

    Each of these values is an actual value once for every step: 1 step ahead, 2 steps ahead, and so on, if the series
    is long enough. No window or step spans the start of a stretch.
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
        oldest = series_ends[owner] - last  # the first value to score
        first = max(begin + shape.window - 1, oldest - int(ahead[-1]))
        window_ends = np.arange(first, end - shape.horizon)
        if not len(window_ends):
            continue
        places = window_ends[:, None] + ahead
        is_scored = (places < end) & (places >= oldest)
        actuals = np.where(is_scored, table.targets[np.minimum(places, end - 1)], np.nan)
        windows = table.values[window_ends[:, None] - np.arange(shape.window)[::-1]]
        yield ActualRows(windows[is_scored.any(axis=1)], actuals[is_scored.any(axis=1)])
