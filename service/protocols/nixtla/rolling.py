"""Rolling forecasts over concatenated series: selects windows and forecast steps, and runs the model."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifact import Batch
from service.inference.errors import BadInput, LevelOutOfReach, PredictionOverflow
from service.inference.forecast import forecast
from service.inference.intervals import forecast_with_intervals
from service.inference.loader import LiveModel

Rows = NDArray[np.int64]
Sizes = Sequence[int]


class Plan(NamedTuple):
    """Windows to forecast, and the steps that make the response.

    origins: (windows,), the row after each window. series: (windows,), the index of each window's series.
    window, step: (answers,), the window and the step of each value in the response.
    """

    origins: Rows
    series: Rows
    window: Rows
    step: Rows


class Answered(NamedTuple):
    """Forecasts of a plan.

    values: (answers,). intervals: lower and upper bounds by level, (answers,) each. rows: (answers,), index of each
    value in the concatenated series. counts: (series,), number of values per series.
    """

    values: Batch
    intervals: Mapping[float, tuple[Batch, Batch]]
    rows: Rows
    counts: Rows


def next_rows(sizes: Sizes, h: int) -> Plan:
    """Plan for the h rows after the end of every series."""
    return _ahead(np.cumsum(sizes)[:, None], h)


def windows_back(sizes: Sizes, h: int, n_windows: int, step_size: int) -> Plan:
    """Plan for h rows from each of n_windows origins of every series; the last origin is h rows before its end."""
    back = h + step_size * np.arange(n_windows)[::-1]
    return _ahead(np.cumsum(sizes)[:, None] - back, h)


def fitted(sizes: Sizes, window: int) -> Plan:
    """Plan for one step for every row with a whole window before it. Every series must be longer than a window."""
    counts = np.array(sizes) - window
    owner = np.repeat(np.arange(len(sizes)), counts)
    rows = np.arange(sum(sizes))
    first = np.cumsum(sizes) - sizes + window
    origins = rows[(rows >= np.repeat(first, sizes))]
    return Plan(origins, owner, np.arange(len(origins)), np.zeros(len(origins), np.int64))


def detection(sizes: Sizes, count: int, step_size: int) -> Plan:
    """Plan for the last `count` rows of every series, with a new forecast every `step_size` rows."""
    offsets, rows = np.arange(0, count, step_size), np.arange(count)
    origins = np.cumsum(sizes)[:, None] - count + offsets
    window = np.arange(len(sizes))[:, None] * len(offsets) + rows // step_size
    return Plan(origins.ravel(), _owner(origins), window.ravel(), np.tile(rows % step_size, len(sizes)))


def run(model: LiveModel, series: Batch, plan: Plan, levels: Sequence[float]) -> Answered:
    """Forecast the windows of a plan, with intervals at `levels`; the interval of level 0 is the forecast itself.

    series: (values,), the concatenated series. Each origin must have a whole window before it.
    Raises BadInput for an unreachable level, or a forecast beyond float32.
    """
    windows = series[plan.origins[:, None] + np.arange(-model.card.window, 0)]
    above = sorted({level for level in levels if level > 0})
    try:
        if above:
            (values, _), (lower, upper) = forecast_with_intervals(model, windows, above)
            ends = {level: (lower[k], upper[k]) for k, level in enumerate(above)}
        else:
            values, ends = forecast(model, windows).values, {}
    except PredictionOverflow as error:
        raise BadInput(f"the forecast from row {plan.origins[error.row]} of y on is beyond float32") from None
    except LevelOutOfReach as error:
        raise BadInput(f"level: {error.detail}") from None
    if 0 in levels:
        ends[0] = values, values
    chosen = plan.window, plan.step
    picked = {level: (lower[chosen], upper[chosen]) for level, (lower, upper) in ends.items()}
    counts = np.bincount(plan.series[plan.window])
    return Answered(values[chosen], picked, plan.origins[plan.window] + plan.step, counts)


def _ahead(origins: Rows, h: int) -> Plan:
    """Plan for h steps from each origin. origins: (series, windows)."""
    windows = np.arange(origins.size)
    return Plan(origins.ravel(), _owner(origins), np.repeat(windows, h), np.tile(np.arange(h), origins.size))


def _owner(origins: Rows) -> Rows:
    return np.repeat(np.arange(len(origins)), origins.shape[1])
