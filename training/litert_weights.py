"""Weights in a `.tflite` file: a file is converted once, and other weights are written into it by LiteRT's schema."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

Places = NDArray[np.int64]


class Slot(NamedTuple):
    """A buffer of the file, and which of all weights, one variable after the other, its values are."""

    buffer: int
    places: Places


class Template:
    """A `.tflite` file of one architecture, into which any weights can be written."""

    def __init__(self, content: bytes, slots: Sequence[Slot]) -> None:
        self._content, self._slots = content, slots

    @classmethod
    def make(cls, variables: Sequence[keras.Variable], convert: Callable[[], bytes]) -> Self | None:
        """Convert the model whose weights `variables` are, with a different number in each of them, and find these in
        the file; None if not all are there as they are, since the converter has made other numbers of some.
        """
        kept = [np.asarray(variable) for variable in variables]
        numbers = _numbers(sum(value.size for value in kept))
        try:
            _assign(variables, numbers)
            content = convert()
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)
        slots = list(_slots(content, numbers))
        found = {place for slot in slots for place in slot.places.tolist()}
        return cls(content, slots) if len(found) == len(numbers) else None

    def fill(self, variables: Sequence[keras.Variable]) -> bytes:
        """The file with the weights that the variables have now."""
        weights = np.concatenate([np.ravel(np.asarray(variable)) for variable in variables]).astype(np.float32)
        content = bytearray(self._content)
        model = schema.Model.GetRootAs(content)
        for slot in self._slots:
            model.Buffers(slot.buffer).DataAsNumpy().view(np.float32)[:] = weights[slot.places]
        return bytes(content)


def _numbers(count: int) -> NDArray[np.float32]:
    """Different float32 between 1/2 and 1, in no order, so that no constant of a graph is likely to be among them."""
    drawn = np.random.default_rng(0).choice(2**23, count, replace=False)
    return (0.5 + drawn * 2.0**-24).astype(np.float32)


def _assign(variables: Sequence[keras.Variable], numbers: NDArray[np.float32]) -> None:
    ends = np.cumsum([int(np.prod(variable.shape)) for variable in variables])[:-1]
    for variable, values in zip(variables, np.split(numbers, ends), strict=True):
        variable.assign(values.reshape(variable.shape))


def _slots(content: bytes, numbers: NDArray[np.float32]) -> list[Slot]:
    model = schema.Model.GetRootAs(content)
    order = np.argsort(numbers)
    found = []
    for buffer in range(model.BuffersLength()):
        data = model.Buffers(buffer).DataAsNumpy()
        if isinstance(data, int) or not len(data) or len(data) % 4:
            continue
        values = data.view(np.float32)
        places = order[np.minimum(np.searchsorted(numbers, values, sorter=order), len(order) - 1)]
        if np.array_equal(numbers[places], values):
            found.append(Slot(buffer, places))
    return found
