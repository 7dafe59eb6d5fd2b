"""Errors of the naive forecast within each series, by which MASE and RMSSE divide."""

from typing import NamedTuple

import numpy as np

from training.backtest.windows import Windows
from training.values import Values


class Scales(NamedTuple):
    """Mean absolute and root mean squared difference from the value a season before, (series,) each; NaN for none."""

    absolute: Values
    squared: Values


def naive_scales(windows: Windows, still_to_come: int) -> Scales:
    """Scales of each series from its values up to the last `still_to_come` (Hyndman & Koehler, 2006)."""
    stretches, season = windows.stretches, windows.season
    owners = np.repeat(np.arange(len(stretches.starts)), stretches.lengths)
    values, series = stretches.values, stretches.series[owners]
    left = np.bincount(series)[series] - 1 - (np.arange(len(values)) - np.searchsorted(series, series))
    same = (owners[season:] == owners[:-season]) & (left[season:] >= still_to_come)
    differences = (values[season:] - values[:-season])[same]
    of = series[season:][same]
    counts = np.bincount(of, minlength=stretches.count)
    with np.errstate(invalid="ignore", divide="ignore"):
        absolute = np.bincount(of, np.abs(differences), stretches.count) / counts
        squared = np.sqrt(np.bincount(of, differences**2, stretches.count) / counts)
    return Scales(np.where(absolute > 0, absolute, np.nan), np.where(squared > 0, squared, np.nan))
