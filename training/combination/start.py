"""Start of training: the linear candidate in closed form, and weights that are the same for all windows."""

from typing import NamedTuple

import numpy as np

from training.combination.linear import Linear, fit_linear
from training.combination.samples import Samples
from training.values import Values

MOST_ROWS = 4096  # that first weights are computed from
ROUNDS = 40  # more concentrate the weights on fewer methods, which then forecast other years less well
MOST_CHANGE = 2.0  # of the logarithm of a weight in one round
LEAST_WEIGHT = 1e-4  # a method with less could not be learned any more
# A straight line is enough for a single series if its left-out errors are no larger than this share of those of the
# weighted methods.
TIE = 1.02


class Start(NamedTuple):
    """linear: the linear candidate. logits: (candidates,), the logarithms of the first weights.

    correction: (rows, steps), what the linear candidate forecasts for a row less if it has not been fitted on that row.
    """

    linear: Linear
    logits: Values
    correction: Values


def find_start(samples: Samples, targets: Values) -> Start:
    """The start for these targets, (rows, steps), NaN where a value is not known.

    The weights are those of the smallest mean squared error among all that are the same for every window (Bates &
    Granger, 1969), with the linear candidate on rows that it has not seen (stacking; Breiman, 1996). Of a single series
    the linear candidate has all the weight where it is as good: what the others add to it then is noise.
    """
    linear = fit_linear(samples, targets)
    correction = np.where(np.isnan(linear.left_out), 0.0, linear.left_out - linear.forecasts)
    known = np.flatnonzero(~np.isnan(targets).all(axis=1))
    rows = known[:: -(-len(known) // MOST_ROWS)]
    candidates = np.concatenate(
        [samples.inputs["candidates"][rows], (linear.forecasts + correction)[rows, None]], axis=1
    )
    errors = np.nan_to_num(candidates - targets[rows, None]).transpose(1, 0, 2)
    weighted = errors * np.sqrt(samples.square_weights[rows])[:, None]
    squares = np.einsum("knh,jnh->kj", weighted, weighted, optimize=True)
    weights = best_weights(squares)
    single = "place" in samples.inputs
    if single and squares[-1, -1] <= TIE * (weights @ squares @ weights):
        weights = np.eye(len(weights))[-1]
    return Start(linear, np.log(np.maximum(weights, LEAST_WEIGHT)), correction)


def best_weights(squares: Values) -> Values:
    """The weights w, at least zero and one in sum, of the smallest w' S w; S is (candidates, candidates).

    Found by multiplicative updates, which start at equal weights (exponentiated gradient; Kivinen & Warmuth, 1997).
    """
    weights = np.full(len(squares), 1 / len(squares))
    for _ in range(ROUNDS):
        slopes = squares @ weights
        slopes = slopes / max(weights @ slopes, 1e-300) - 1
        weights = weights * np.exp(-slopes * min(0.5, MOST_CHANGE / max(np.ptp(slopes), 1e-300)))
        weights /= weights.sum()
    return weights
