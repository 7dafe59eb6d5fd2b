"""Rows padded to a few sizes: a program is compiled for one shape, which takes longer than to train a network."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_ROWS, MOST_DOUBLED = 64, 8192


def padded(rows: int) -> int:
    """A number of rows of which there are few: a power of two from 64 on, beyond 8,192 a multiple of that."""
    if rows > MOST_DOUBLED:
        return -(-rows // MOST_DOUBLED) * MOST_DOUBLED
    return max(LEAST_ROWS, 1 << (rows - 1).bit_length())


def pad_rows(values: NDArray[Any], rows: int, fill: float = 0.0) -> NDArray[np.float32]:
    """`values`, (n, …), with rows of `fill` up to `rows`, in float32."""
    widths = [(0, rows - len(values)), *[(0, 0)] * (values.ndim - 1)]
    return np.pad(values.astype(np.float32), widths, constant_values=fill)
