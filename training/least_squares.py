"""Linear least squares with an intercept, in float64, at any offset and unit of the columns."""

import numpy as np

from training.values import Values


def least_squares(columns: Values, targets: Values, cutoff: float | None = None) -> tuple[Values, Values]:
    """Coefficients, (columns,), and intercept, (), for columns, (rows, columns), and targets, (rows,).

    For targets of several steps, (rows, steps), they are (columns, steps) and (steps,).

    The columns are centred and brought to one scale first: beside values of 1e15 a column of ones, which is the usual
    way to an intercept, would count as rounding. cutoff: singular values below this share of the largest are taken
    for zero; None for what float64 resolves, as numpy.linalg.lstsq has it.
    """
    centre = columns.mean(axis=0)
    centred = columns - centre
    scale = float(np.std(centred)) or 1.0
    solution, *_ = np.linalg.lstsq(centred / scale, targets - targets.mean(axis=0), rcond=cutoff)
    coefficients: Values = solution / scale
    intercept: Values = targets.mean(axis=0) - centre @ coefficients
    return coefficients, intercept
