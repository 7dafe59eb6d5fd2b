"""Samples: what the front makes of the windows of one or many series, with the scaled values that follow them."""

from dataclasses import dataclass
from typing import Self

import keras
import numpy as np
from numpy.typing import NDArray

from training.combination.front import LOG_FLOOR
from training.values import Values

PIECE = 8192  # rows at a time: what the front makes of a row takes some kilobytes
# Targets further from the level than this are cut: one outlier must not outweigh the rest. In units of the spread,
# or of logarithms.
FURTHEST = {False: 10.0, True: 3.0}
MOST_SPREAD = 5.0  # of a window, in units of the mean spread of its series: more counts no more


@dataclass(frozen=True)
class Samples:
    """What the cores are trained on.

    inputs: the outputs of the front by name, (rows, …) in float32. targets: (rows, steps), scaled as the candidates
    are, NaN where a value is not known. weights: (rows,); a row is drawn as often as its weight says. square_weights:
    (rows,), those of squared errors.
    """

    inputs: dict[str, NDArray[np.float32]]
    targets: Values
    weights: Values
    square_weights: Values

    @classmethod
    def of(cls, front: keras.Model, windows: Values, targets: Values, series: NDArray[np.int64]) -> Self:
        """Scale windows, (rows, window), and targets, (rows, steps), of series that are numbered from 0, (rows,).

        A series of n rows has as much weight as the square root of n: neither are the long ones all that counts, nor
        is every short one as good as they are.

        With logarithms, rows on which the best method errs by e have the weight 1 / √e, halfway from the mean of
        absolute errors to that of errors in units of e. Without, rows are weighted by their spread, so that errors
        count in the unit of the series, whatever its windows are scaled by.
        """
        pieces = [front(windows[k : k + PIECE].astype(np.float32)) for k in range(0, len(windows), PIECE)]
        found = {name: np.concatenate([np.asarray(piece[name]) for piece in pieces]) for name in pieces[0]}
        counts = np.bincount(series)
        root = np.sqrt(counts[series])
        weights, squares = _weights(found, series, counts)
        return cls(found, _scaled(found, targets), weights / root, squares / root)


def _weights(
    found: dict[str, NDArray[np.float32]], series: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[Values, Values]:
    """Weights of absolute and of squared errors by the row, (rows,) each."""
    if "unit" in found:
        by_error: Values = np.exp(-found["errors"][:, -1].astype(np.float64))
        return by_error, by_error
    spreads = found["spread"][:, 0].astype(np.float64)
    mean = np.bincount(series, spreads) / np.maximum(counts, 1)
    relative: Values = np.minimum(spreads / np.maximum(mean[series], 1e-300), MOST_SPREAD)
    return relative, relative**2


def _scaled(found: dict[str, NDArray[np.float32]], targets: Values) -> Values:
    log = "unit" in found
    if log:
        scaled: Values = np.log(np.maximum(targets / found["unit"], LOG_FLOOR)) - found["level"]
    else:
        scaled = (targets - found["level"]) / found["spread"]
    clipped: Values = np.clip(scaled, -FURTHEST[log], FURTHEST[log])
    return clipped
