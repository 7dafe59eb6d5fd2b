"""The linear baseline: least squares on the window, one for each step, over all series."""

import numpy as np

from training.backtest.windows import Mask, Windows
from training.least_squares import least_squares
from training.values import Values


def linear_forecasts(windows: Windows, known: Mask, rows: Mask) -> Values:
    """Fit on the rows whose targets are all `known`, (rows, steps), and forecast for `rows`, (rows,).

    Of several series, each window is shifted by its mean and divided by its mean absolute deviation first, so that
    the largest series is not all that counts.
    """
    values, targets = windows.values, windows.targets
    level, spread = np.zeros((len(values), 1)), np.ones((len(values), 1))
    if windows.stretches.count > 1:
        level = values.mean(axis=1, keepdims=True)
        spread = np.abs(values - level).mean(axis=1, keepdims=True)
        spread = np.where(spread > 0, spread, np.maximum(np.abs(level), 1))
    columns, scaled = (values - level) / spread, (targets - level) / spread
    fitted = known.all(axis=1)
    coefficients, intercept = least_squares(columns[fitted], scaled[fitted])
    found: Values = (columns[rows] @ coefficients + intercept) * spread[rows] + level[rows]
    return found
