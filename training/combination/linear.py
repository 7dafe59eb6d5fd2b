"""The linear candidate of a combination network: ridge regression of the targets on the scaled windows."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from training.combination.samples import Samples
from training.values import Values

# Of the mean square of what the regression sees: what keeps it from following the noise of a few rows.
RIDGE = 1e-4
# The regression of a single series sees a value for each so many windows, and at least so many values: coefficients of
# fewer windows are noise. On series of M1 and Tourism, 3 to 6 windows for a value are equally good.
WINDOWS_PER_VALUE, LEAST_VALUES = 4, 3
MOST_LEFT_OUT = 2048  # rows
MOST_LEVERAGE = 0.999  # a row that decides its own forecast says nothing of others
LEAST_RIDGE = 1e-30  # windows of zeros alone
# Levels up to half of the trained range beyond its ends are reverted from as least squares does; from there on less and
# less, so that a level that is new altogether is followed. In halves of the range, from its middle.
FULL = 2.0
MOST_UNIT = 10.0  # of the mean spread over a window's own: of windows that hardly change, this knows nothing


class Regressors(NamedTuple):
    """What the linear candidate sees beside the scaled window, where a single series has a mean to revert to.

    slope, offset: bring the trained levels between -1 and 1. unit: the mean spread of the trained windows. With both,
    and rows weighted by the square of their spread, the regression is that of the plain values on the plain window.
    """

    slope: float
    offset: float
    unit: float

    @classmethod
    def of(cls, samples: Samples, rows: NDArray[np.int64]) -> Self:
        """Of the trained rows, by number."""
        if "place" not in samples.inputs:
            return cls(0.0, 0.0, 0.0)
        levels = samples.inputs["place"][rows].astype(np.float64)
        half = max(float(np.ptp(levels)) / 2, 1e-7 * float(np.abs(levels).max()), 1e-30)
        unit = 1 / float(samples.inputs["per_spread"][rows].mean()) if "per_spread" in samples.inputs else 0.0
        return cls(1 / half, -(float(levels.max()) + float(levels.min())) / 2 / half, unit)

    def columns(self, samples: Samples) -> Values:
        """(rows, window and two more): the scaled window, its level, and what stands for the intercept.

        Levels of trained rows are between -1 and 1, so that `FULL` is not reached.
        """
        home = self.slope * samples.inputs["place"].astype(np.float64) + self.offset
        plain = np.ones_like(home)
        if "per_spread" in samples.inputs:
            plain = np.clip(self.unit * samples.inputs["per_spread"].astype(np.float64), 0, MOST_UNIT)
        return np.column_stack([samples.inputs["scaled"], home * plain, plain])

    @staticmethod
    def kernel(plain: Values, following: Values) -> Values:
        """Of the linear layer, from both regressions: near the trained levels the first, far from them the second.

        The layer sees the scaled window, the same times a share that is 1 near the trained levels and 0 far from them,
        the level and the intercept; see `training.combination.core`.
        """
        window = len(following)
        return np.concatenate([following, plain[:window] - following, plain[window:]])


class Linear(NamedTuple):
    """kernel: (regressors, steps), bias: (steps,), of the linear layer. regressors: what it sees.

    forecasts: (rows, steps). left_out: (rows, steps), those of the regression without the row itself, which are what it
    is worth on a row that it has not seen; NaN where the row was not left out.
    """

    kernel: Values
    bias: Values
    regressors: Regressors
    forecasts: Values
    left_out: Values


def fit_linear(samples: Samples, targets: Values) -> Linear:
    """Ridge regression in closed form, weighted. targets: (rows, steps), NaN where a value is not known.

    With a single series it is the regression on the scaled window and its level near the levels that it was trained
    on, and that on the scaled window alone far from them, which follows every level: it has no intercept, since a drift
    at one level is not that at another. Of a window that is long for so few rows both see the last values only.
    """
    rows = np.flatnonzero(~np.isnan(targets).all(axis=1))
    regressors = Regressors.of(samples, rows)
    weights = samples.square_weights
    if regressors.slope:
        kernel, columns, solution = _reverting(samples, targets, regressors, len(rows))
        bias = np.zeros(targets.shape[1])
    else:
        columns = np.column_stack([samples.inputs["scaled"].astype(np.float64), np.ones(len(targets))])
        solution = _regression(columns, targets, weights)
        kernel, bias = solution[:-1], solution[-1]
    left_out = _leave_out(columns, targets, weights, solution)
    return Linear(kernel, bias, regressors, columns @ solution, left_out)


def _reverting(samples: Samples, targets: Values, regressors: Regressors, rows: int) -> tuple[Values, Values, Values]:
    """The kernel of a single series with `rows` known windows; what its regression sees, and the coefficients of it."""
    scaled = samples.inputs["scaled"].astype(np.float64)
    first = max(scaled.shape[1] - max(rows // WINDOWS_PER_VALUE, LEAST_VALUES), 0)
    columns = regressors.columns(samples)[:, first:]
    solution = _regression(columns, targets, samples.square_weights)
    following = _regression(scaled[:, first:], targets, samples.square_weights)
    unseen = (first, 0), (0, 0)
    return regressors.kernel(np.pad(solution, unseen), np.pad(following, unseen)), columns, solution


def _regression(columns: Values, targets: Values, weights: Values) -> Values:
    """The coefficients, (columns, steps)."""
    known = ~np.isnan(targets)
    each = zip(np.where(known, targets, 0.0).T, known.T, strict=True)
    solutions = [np.linalg.solve(*_normal_equations(columns, values, weights * of)) for values, of in each]
    return np.column_stack(solutions)


def _leave_out(columns: Values, targets: Values, weights: Values, solution: Values) -> Values:
    """Forecasts of rows by the regression without them, (rows, steps), from their leverage (Allen's PRESS, 1974).

    Of more than MOST_LEFT_OUT rows only some are left out: one of so many has hardly any leverage. NaN for the others.
    """
    rows = np.flatnonzero(~np.isnan(targets).all(axis=1))
    rows = rows[:: -(-len(rows) // MOST_LEFT_OUT)]
    found = np.full(targets.shape, np.nan)
    for step, values in enumerate(targets.T):
        known = weights * ~np.isnan(values)
        squares, _ = _normal_equations(columns, np.nan_to_num(values), known)
        leverage = known[rows] * np.einsum("ij,ji->i", columns[rows], np.linalg.solve(squares, columns[rows].T))
        leverage = np.minimum(leverage, MOST_LEVERAGE)
        found[rows, step] = (columns[rows] @ solution[:, step] - leverage * values[rows]) / (1 - leverage)
    return found


def _normal_equations(columns: Values, values: Values, weights: Values) -> tuple[Values, Values]:
    weighted = columns.T * weights
    squares = weighted @ columns
    squares[np.diag_indices_from(squares)] += max(RIDGE * np.trace(squares) / len(squares), LEAST_RIDGE)
    return squares, weighted @ values
