"""Prediction intervals: conformal scores from calibration windows, and the coverage that they have on later ones."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifact import Coverage, Intervals
from artifact.intervals import MAX_SCORES
from artifact.spreads import SPREADS
from training.values import Values

LEVELS = (80.0, 95.0)
RANGE = 0.95  # probability of the binomial range of a coverage
TOP = 200  # of the highest scores none is left out: high levels stay exact
# Errors of a network over those of the fit behind its scores, which has seen fewer rows: measured on the official
# horizons of M1 and Tourism, geometric mean over the six groups (docs/forecasts.md).
LATER_FIT = 0.96


class Judged(NamedTuple):
    """Windows, (rows, window), their forecasts, (rows, steps), and the values that really came, (rows, steps)."""

    windows: Values
    forecasts: Values
    actual: Values


def calibrate(found: Judged, season: int) -> Intervals:
    """Scores of each step: absolute errors over the spread of their own window, times LATER_FIT.

    found: by a fit that has seen fewer rows than the network that the intervals are for. See `artifact.intervals`.
    """
    spread: Literal["one", "recent"] = "recent" if found.windows.shape[1] > 1 else "one"
    spreads = np.reshape(SPREADS[spread](found.windows.astype(np.float32), season), (-1, 1))
    least = float(spreads[spreads > 0].min(initial=math.inf))
    least = least if math.isfinite(least) else 1.0
    scores = np.sort(LATER_FIT * np.abs(found.forecasts - found.actual) / np.maximum(spreads, least), axis=0)
    ranks = kept_ranks(len(scores))
    return Intervals(
        calibration_windows=len(scores),
        spread=spread,
        season=season,
        least_spread=least,
        ranks=ranks.tolist(),
        scores=scores[ranks - 1].T.tolist(),
    )


def kept_ranks(count: int) -> NDArray[np.int64]:
    """The ranks, from 1 to count, of the scores that a card keeps: all, or MAX_SCORES, evenly but for the highest."""
    if count <= MAX_SCORES:
        return np.arange(1, count + 1)
    below = np.linspace(0, count - TOP, MAX_SCORES - TOP + 1)[1:].round().astype(np.int64)
    return np.concatenate([below, np.arange(count - TOP + 1, count + 1)])


def measure(intervals: Intervals, found: Judged) -> list[Coverage]:
    """Coverage at each of LEVELS that can be had, on windows that no score comes from, forecast by a later fit.

    The errors of one window's steps come together, so that its range is that of as many values as there are windows.
    """
    levels = [level for level in LEVELS if level <= intervals.highest_level]
    measured = []
    for level in levels:
        windows = found.windows.astype(np.float32)
        lower, upper = intervals.bounds(intervals.ends([level]), windows, found.forecasts.astype(np.float32))
        inside = (lower[0] <= found.actual) & (found.actual <= upper[0])
        low, high = binomial_range(len(inside), level / 100)
        width = float(np.mean(upper.astype(np.float64) - lower))
        share = float(inside.mean())
        measured.append(Coverage(level=level, values=inside.size, share=share, low=low, high=high, mean_width=width))
    return measured


def binomial_range(count: int, share: float) -> tuple[float, float]:
    """The range of the share of hits in `count` draws, with probability RANGE, if each of them hits with `share`."""
    hits = np.arange(count + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    chances = np.exp(logs[-1] - logs - logs[::-1] + hits * math.log(share) + (count - hits) * math.log1p(-share))
    below = np.cumsum(chances)
    low, high = np.searchsorted(below, [(1 - RANGE) / 2, (1 + RANGE) / 2])
    return int(low) / count, min(int(high), count) / count
