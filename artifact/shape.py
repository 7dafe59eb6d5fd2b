"""Whether the shape of a window, once it is scaled by itself, lies outside of what a network was trained on.

For networks that scale each window by its own level and spread, the range of the training data says nothing: a level
never seen is followed. What they cannot know is a shape never seen.
"""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

Batch = NDArray[np.float32]
Floats = NDArray[np.float64]

LEAST_WIDTH = 1e-3  # of the spread of a window: a place of the scaled window that hardly varied


class Shapes(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The scaled windows that a network was trained on, place by place, and how far from them counts as outside.

    A window is scaled by its mean and its mean absolute deviation. Its distance is the largest over its places of
    |scaled - centre| / width; it is outside if that is more than `limit`. centre, width: (window,), mean and standard
    deviation over the training windows. positive: all training windows were positive; one that is not is outside.
    false_alarms: the share of held-out windows that are outside, of `windows`.
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
        """How far each window is from those of the training, (rows, window) → (rows,)."""
        centre, width = self._arrays
        distances: Floats = (np.abs(scale_by_itself(windows) - centre) / width).max(axis=1)
        return distances

    def outside(self, windows: Batch) -> NDArray[np.bool_]:
        """Whether each window is outside, (rows, window) → (rows,)."""
        outside: NDArray[np.bool_] = self.distances(windows) > self.limit
        return outside | (windows <= 0).any(axis=1) if self.positive else outside


def scale_by_itself(windows: Batch) -> Floats:
    """Each window, (rows, window), less its mean and over its mean absolute deviation; zeros for a constant one."""
    differences = windows - windows.mean(axis=1, keepdims=True, dtype=np.float64)
    spread = np.abs(differences).mean(axis=1, keepdims=True)
    scaled: Floats = np.divide(differences, spread, out=np.zeros_like(differences), where=spread > 0)
    return scaled
