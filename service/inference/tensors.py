"""Tensors of the inference protocols: from numbers in JSON or bytes to the rows that a model takes."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifact import Batch, TensorSpec
from service.inference.errors import BadInput

DATATYPES: Mapping[str, np.dtype[Any]] = {
    **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
}
FLOAT32 = DATATYPES["FP32"]
MAX_AXES = 8  # deeper lists are refused before they are flattened; models have two or three axes
SPARE = 1000  # values besides the tensor's: shapes, parameters, unknown fields
JSON_TYPES = {str: "String", bool: "Bool", type(None): "Null", dict: "Object", float: "Number with a fraction"}


def check_length(content: bytes, length: int, spec: TensorSpec, max_rows: int) -> None:
    """Refuse JSON, the first `length` bytes of `content`, with far more values than max_rows rows. Raises BadInput.

    Count punctuation before parsing: a parsed value takes ten times the memory, and parsing holds the GIL.
    """
    if length <= SPARE:
        return  # shorter than any of the limits
    numbers = max_rows * math.prod(filter(None, spec.shape)) + SPARE
    # At most each number has a list of its own, and each row another.
    most = {b",": numbers, b"[": 2 * numbers, b"{": max_rows + SPARE}
    if any(content.count(mark, 0, length) > count for mark, count in most.items()):
        raise BadInput(f"The body has more values than {max_rows} rows, the most in one request")


def read_numbers(value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A JSON value, a number or lists of them nested to any depth, as an array of its shape.

    Raises BadInput, in the words of TensorFlow Serving, for lists of different lengths and for items that are not
    numbers.
    """
    shape: list[int] = []
    flat = [value]
    while (kinds := set(map(type, flat))) == {list}:
        sizes = set(map(len, flat))
        if len(sizes) > 1:
            odd = next(len(item) for item in flat if len(item) != len(flat[0]))
            raise BadInput(
                f"Encountered list at unexpected size: {odd} at level: {len(shape)} expected size: {len(flat[0])}"
            )
        shape += sizes
        if len(shape) > MAX_AXES:
            raise BadInput(f"Encountered list at unexpected level: {MAX_AXES}")
        flat = list(chain.from_iterable(flat))
    if list in kinds:
        raise BadInput(f"Encountered list at unexpected level: {len(shape)}, beside items that are not lists")
    wrong = kinds - ({int} if dtype.kind in "iu" else {int, float})
    if wrong:
        kind = "float" if dtype.kind == "f" else dtype.name
        raise BadInput(f"JSON Value of Type: {JSON_TYPES[wrong.pop()]} is not of expected type: {kind}")
    return _to_array(flat, dtype).reshape(shape)


def _to_array(numbers: list[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        array = np.array(numbers, np.float64 if dtype.kind == "f" else dtype)
    except OverflowError:
        raise BadInput(f"A number is beyond {dtype.name}") from None
    with np.errstate(over="ignore"):  # `to_float32` refuses infinity
        return array.astype(dtype, copy=False)


def read_bytes(content: memoryview, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Little-endian bytes in row-major order as an array over the same memory. Raises BadInput for a wrong length."""
    needed = math.prod(shape) * dtype.itemsize
    if len(content) != needed:
        raise BadInput(f"A tensor of the shape {list(shape)} has {needed} bytes as {dtype.name}, not {len(content)}")
    return np.frombuffer(content, dtype).reshape(shape)


def check_shape(shape: Sequence[int], spec: TensorSpec, max_rows: int) -> None:
    """Raise BadInput unless a tensor holds 1 to max_rows rows of a model's input; a last axis of 1 may be left out."""
    row = list(spec.row_shape)
    optional = row[:-1] if row[-1] == 1 else row
    if list(shape[1:]) not in (row, optional) or not shape:
        takes = " or ".join(str([-1, *axes]) for axes in dict.fromkeys(map(tuple, (row, optional))))
        raise BadInput(f"'{spec.name}' takes the shape {takes}, not {list(shape)[:8]}")
    if not 1 <= shape[0] <= max_rows:
        raise BadInput(f"'{spec.name}' takes 1 to {max_rows} rows, not {shape[0]}")


def to_float32(tensor: NDArray[Any], spec: TensorSpec) -> Batch:
    """A tensor as (rows, window) in float32, copied only if needed. Raises BadInput unless all of it is finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        batch: Batch = tensor.astype(np.float32, copy=False).reshape(len(tensor), -1)
        is_finite = _is_finite(batch)
    if not is_finite:
        raise BadInput(
            f"'{spec.name}' takes finite numbers only: no NaN, no Infinity, and nothing beyond float32 or its datatype"
        )
    return batch


def _is_finite(batch: Batch) -> bool:
    if len(batch) == 1:  # plain Python is faster than NumPy on so few values; float64 cannot overflow here
        return math.isfinite(sum(batch[0].tolist()))
    return math.isfinite(batch.min()) and math.isfinite(batch.max())  # both are NaN if any number is
