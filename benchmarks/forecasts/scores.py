"""Scores of a method's forecasts of a group: sMAPE, MASE, coverage and width of intervals, CPU time."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.forecasts.competitions import Group, Values

LEVELS = (80, 95)
Bounds = dict[int, tuple[Values, Values]]
"""Lower and upper ends by level, (series, steps) each."""


@dataclass(frozen=True)
class Scores:
    """Scores per series, (series,) each; MASE is NaN if the seasonal naive error of a series is zero.

    coverage: by level, share of the steps inside the interval. width: by level, mean width of the interval in units
    of the seasonal naive error, as in MASE. seconds: CPU seconds for the group, including training.
    """

    smape: list[float]
    mase: list[float]
    seconds: float
    coverage: dict[int, list[float]] = field(default_factory=dict)
    width: dict[int, list[float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def score(group: Group, forecasts: Values, bounds: Bounds, seconds: float) -> Scores:
    """Compute the scores of a method. forecasts: (series, steps). seconds: CPU seconds for the group."""
    actual, unit = group.actual, naive_errors(group)
    sizes = np.abs(forecasts) + np.abs(actual)
    errors = np.abs(forecasts - actual)
    relative = np.divide(errors, sizes, out=np.zeros_like(errors), where=sizes > 0)
    inside = {level: ((low <= actual) & (actual <= high)).mean(axis=1) for level, (low, high) in bounds.items()}
    widths = {level: (high - low).mean(axis=1) / unit for level, (low, high) in bounds.items()}
    return Scores(
        smape=(200 * relative.mean(axis=1)).tolist(),
        mase=(errors.mean(axis=1) / unit).tolist(),
        seconds=seconds,
        coverage={level: share.tolist() for level, share in inside.items()},
        width={level: width.tolist() for level, width in widths.items()},
    )


def naive_errors(group: Group) -> Values:
    """Mean absolute seasonal difference of each series, (series,); NaN if zero. Short series: at lag 1."""
    errors = []
    for values in group.series:
        lag = group.season if len(values) > group.season else 1
        errors.append(float(np.abs(values[lag:] - values[:-lag]).mean()))
    found = np.array(errors)
    return np.where(found > 0, found, np.nan)
