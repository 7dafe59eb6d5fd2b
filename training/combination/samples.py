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


@dataclass(frozen=True)
class Samples:
    """What the cores are trained on.

    inputs: the outputs of the front by name, (rows, …) in float32. targets: (rows, steps), scaled as the candidates
    are, NaN where a value is not known. weights: (rows,); a row is drawn as often as its weight says.
    """

    inputs: dict[str, NDArray[np.float32]]
    targets: Values
    weights: Values

    @classmethod
    def of(cls, front: keras.Model, windows: Values, targets: Values, series: NDArray[np.int64]) -> Self:
        """Scale windows, (rows, window), and targets, (rows, steps), of series that are numbered from 0, (rows,).

        A series of n rows has as much weight as the square root of n: neither are the long ones all that counts, nor
        is every short one as good as they are. Rows on which the best method errs by e have the weight 1 / √e, halfway
        from the mean of absolute errors to that of errors in units of e.
        """
        pieces = [front(windows[k : k + PIECE].astype(np.float32)) for k in range(0, len(windows), PIECE)]
        found = {name: np.concatenate([np.asarray(piece[name]) for piece in pieces]) for name in pieces[0]}
        unit = np.exp(-found["errors"][:, -1].astype(np.float64))
        weights: Values = unit / np.sqrt(np.bincount(series)[series])
        return cls(found, _scaled(found, targets), weights)


def _scaled(found: dict[str, NDArray[np.float32]], targets: Values) -> Values:
    log = "unit" in found
    if log:
        scaled: Values = np.log(np.maximum(targets / found["unit"], LOG_FLOOR)) - found["level"]
    else:
        scaled = (targets - found["level"]) / found["spread"]
    clipped: Values = np.clip(scaled, -FURTHEST[log], FURTHEST[log])
    return clipped
