"""The Open Inference Protocol's codec: bytes of a request to bytes of its answer."""

import math
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from artifact import ModelCard
from service.inference.errors import BadInput
from service.inference.forecast import Forecast, forecast
from service.inference.lifecycle import LiveModel
from service.inference.tensors import (
    DATATYPES,
    FLOAT32,
    check_length,
    check_shape,
    read_bytes,
    read_numbers,
    to_float32,
)
from service.protocols.open_inference.schemas import InferRequest, InputTensor, OutputParameters, RequestedOutput


class Answer(NamedTuple):
    """The bytes of an answer, and the length of its JSON if a binary tensor follows it."""

    content: bytes
    header_length: int | None


def infer(model: LiveModel, content: bytes, header_length: int | None, max_rows: int) -> Answer:
    """Answer a request whose first header_length bytes are JSON: None for all of it, 0 for a bare tensor.

    Raises NotJSON, BadInput or PredictionOverflow.
    """
    card = model.card
    if header_length == 0:
        tensor, request = _read_bare(card, content), None
    else:
        request, tensor = _read(card, content, header_length, max_rows)
    check_shape(tensor.shape, card.input, max_rows)
    return _write(card, request, forecast(model, to_float32(tensor, card.input)))


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
    """The tensor of an input, from its data or from the bytes after the JSON."""
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


def _write(card: ModelCard, request: InferRequest | None, result: Forecast) -> Answer:
    values = np.ascontiguousarray(result.values)
    binary = request is None or _wants_binary(card, request)
    output: dict[str, Any] = {"name": card.output.name, "shape": values.shape, "datatype": "FP32"}
    if binary:
        output["parameters"] = {"binary_data_size": values.nbytes}
    else:
        output["data"] = values.ravel()
    answer: dict[str, Any] = {"model_name": card.name, "model_version": str(card.version)}
    if request is not None and request.id is not None:
        answer["id"] = request.id
    answer |= {"parameters": {"extrapolated": len(result.extrapolated) > 0}, "outputs": [output]}
    content = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    if not binary:
        return Answer(content, None)
    return Answer(content + values.astype("<f4", copy=False).tobytes(), len(content))


def _wants_binary(card: ModelCard, request: InferRequest) -> bool:
    """Whether the output is to be binary, by its own parameters or else the request's. Raises BadInput."""
    outputs = request.outputs or [RequestedOutput(name=card.output.name)]
    if len(outputs) != 1 or outputs[0].name != card.output.name:
        raise BadInput(f"{card.name} gives one output, '{card.output.name}'")
    wanted = outputs[0].parameters or OutputParameters()
    if wanted.classification is not None or wanted.shared_memory_region is not None:
        raise BadInput("An output comes as JSON or as binary data; classification and shared memory are not supported")
    if wanted.binary_data is not None:
        return wanted.binary_data
    return bool(request.parameters and request.parameters.binary_data_output)
