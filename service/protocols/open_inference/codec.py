"""Codec of the Open Inference Protocol: request bytes to response bytes."""

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from artifact import Batch, ModelCard
from service.inference.errors import BadInput, LevelOutOfReach
from service.inference.forecast import Answering, Forecast, answer
from service.inference.intervals import with_intervals
from service.inference.loader import LiveModel
from service.inference.tensors import (
    DATATYPES,
    FLOAT32,
    check_length,
    check_shape,
    read_bytes,
    read_numbers,
    to_float32,
)
from service.protocols.open_inference.outputs import Answer, write
from service.protocols.open_inference.schemas import InferRequest, InputTensor

# Of "outputs", "binary_data_output" and "binary_data_size"; with a backslash a key can be written in other ways.
SELECTING = (b"outputs", b"binary_data", b"\\")


class Unanswerable(Exception):
    """A request that the fast lane leaves to the route."""


def infer(model: LiveModel, content: bytes, header_length: int | None, max_rows: int) -> Answer:
    """Response to an inference request, in JSON or binary form.

    header_length: length of the JSON at the start of the content; None if all of it is JSON, 0 for a bare tensor.
    Raises NotJSON, BadInput or PredictionOverflow.
    """
    return answer(model, inferring(model, content, header_length, max_rows))


def inferring(model: LiveModel, content: bytes, header_length: int | None, max_rows: int) -> Answering[Answer]:
    """The steps of `infer`. Raises what it does."""
    card = model.card
    if header_length == 0:
        tensor, request = _read_bare(card, content), None
    else:
        request, tensor = _read(card, content, header_length, max_rows)
    check_shape(tensor.shape, card.input, max_rows)
    windows = to_float32(tensor, card.input)
    levels = request.parameters.levels if request is not None and request.parameters is not None else []
    result, outputs = yield from _forecast(model, windows, levels)
    return write(card, request, outputs, extrapolated=len(result.extrapolated) > 0)


def inferring_json(model: LiveModel, content: bytes, max_rows: int) -> Answering[bytes]:
    """The steps of a request in JSON that selects neither outputs nor their form.

    Raises what `infer` raises, and Unanswerable if the request might select some.
    """
    if any(mark in content for mark in SELECTING):
        raise Unanswerable
    return (yield from inferring(model, content, None, max_rows)).content


def _forecast(
    model: LiveModel, windows: Batch, levels: Sequence[float]
) -> Answering[tuple[Forecast, dict[str, Batch]]]:
    """The forecast, and the output tensors by name: the forecast's, and for example lower_80 and upper_80 per level."""
    name = model.card.output.name
    if not levels:
        result = yield windows
        return result, {name: result.values}
    try:
        result, ends = yield from with_intervals(model, windows, levels)
    except LevelOutOfReach as error:
        raise BadInput(f"parameters.levels: {error.detail}") from None
    outputs = {name: result.values}
    for level, lower, upper in zip(levels, *ends, strict=True):
        outputs |= {f"lower_{level:.15g}": lower, f"upper_{level:.15g}": upper}
    return result, outputs


def _read_bare(card: ModelCard, content: bytes) -> NDArray[Any]:
    rows, rest = divmod(len(content), FLOAT32.itemsize * card.window)
    if rest:
        raise BadInput(f"A bare tensor is FP32, {FLOAT32.itemsize * card.window} bytes a row; {rest} are left over")
    return read_bytes(memoryview(content), (rows, card.window), FLOAT32).reshape(rows, *card.input.shape[1:])


def _read(
    card: ModelCard, content: bytes, header_length: int | None, max_rows: int
) -> tuple[InferRequest, NDArray[Any]]:
    length = len(content) if header_length is None else header_length
    if length > len(content):
        raise BadInput(f"Inference-Header-Content-Length is {length}, but the body has {len(content)} bytes")
    check_length(content, length, card.input, max_rows)
    request = InferRequest.parse(content[:length])
    if len(request.inputs) != 1 or request.inputs[0].name != card.input.name:
        raise BadInput(f"{card.name} takes one input, '{card.input.name}'")
    check_shape(request.inputs[0].shape, card.input, max_rows)
    return request, _read_tensor(request.inputs[0], memoryview(content)[length:])


def _read_tensor(source: InputTensor, rest: memoryview) -> NDArray[Any]:
    """Read the tensor of an input from its `data` or from the bytes after the JSON. Raises BadInput."""
    dtype = DATATYPES.get(source.datatype)
    if dtype is None:
        raise BadInput(f"The datatype of '{source.name}' must be one of {', '.join(DATATYPES)}")
    size = source.parameters and source.parameters.binary_data_size
    if (size is None) == (source.data is None):
        raise BadInput(f"'{source.name}' needs its numbers either in data or after the JSON, with binary_data_size")
    if len(rest) != (size or 0):
        raise BadInput(f"{len(rest)} bytes follow the JSON, where binary_data_size says {size or 0}")
    if size is not None:
        return read_bytes(rest, source.shape, dtype)
    numbers = read_numbers(source.data, dtype)
    flat_or_nested = numbers.ndim == 1 or list(numbers.shape) == source.shape
    if not flat_or_nested or numbers.size != math.prod(source.shape):
        raise BadInput(f"The data of '{source.name}' has the shape {list(numbers.shape)}, not {source.shape}")
    return numbers.reshape(source.shape)
