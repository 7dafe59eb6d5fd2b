"""Extrapolation by shape: does a window, scaled by its own level and spread, differ from all training windows?

For networks that scale each window by itself, the range of the training values is irrelevant: they follow a level
that the training data did not have. An unseen shape is what makes their forecasts unreliable.
"""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

Batch = NDArray[np.float32]
Floats = NDArray[np.float64]

LEAST_WIDTH = 1e-3  # lower limit of `width`, in units of a window's spread, for positions that hardly varied


class Shapes(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Statistics of the scaled training windows, and the limit beyond which a window counts as extrapolated.

    A window is scaled by its mean and mean absolute deviation. Its distance is the maximum over its positions of
    |scaled - centre| / width; it is outside if the distance exceeds `limit`.
    centre, width: (window,), mean and standard deviation over the training windows, per position.
    positive: all training windows were positive; then a window with a value of 0 or less is outside.
    false_alarms: share of the held-out windows that are outside. windows: number of those held-out windows.
    """

    centre: list[float] = Field(min_length=1, max_length=10_000)
    width: list[float] = Field(min_length=1, max_length=10_000)
    limit: float = Field(gt=0)
    positive: bool
    false_alarms: float | None = Field(None, ge=0, le=1)
    windows: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if len(self.centre) != len(self.width) or min(self.width) <= 0:
            raise ValueError("the shapes have not one centre and one positive width for each place of the window")
        return self

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.array(self.centre), np.array(self.width)

    def distances(self, windows: Batch) -> Floats:
        """Distance of each window from the training windows, (rows, window) → (rows,)."""
        centre, width = self._arrays
        distances: Floats = np.maximum.reduce(np.abs(scale_by_itself(windows) - centre) / width, axis=1)
        return distances

    def outside(self, windows: Batch) -> NDArray[np.bool_]:
        """Whether each window is extrapolated, (rows, window) → (rows,)."""
        outside: NDArray[np.bool_] = self.distances(windows) > self.limit
        return outside | (np.minimum.reduce(windows, axis=1) <= 0) if self.positive else outside


def scale_by_itself(windows: Batch) -> Floats:
    """Scale each window, (rows, window), by its mean and mean absolute deviation; constant windows become zeros."""
    values = windows.astype(np.float64)
    size = values.shape[1]
    # As `mean` computes it, which takes three times as long for one row.
    differences: Floats = values - np.add.reduce(values, axis=1, keepdims=True) / size
    spread = np.add.reduce(np.abs(differences), axis=1, keepdims=True) / size
    spread[spread == 0] = 1
    differences /= spread
    return differences
