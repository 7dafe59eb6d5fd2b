"""Codec of TensorFlow Serving's REST API: request bytes to response bytes, with its error messages."""

import math
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic_core import from_json

from artifact import TensorSpec
from service.inference.errors import BadInput, NotJSON
from service.inference.forecast import Answering, answer
from service.inference.loader import LiveModel
from service.inference.tensors import FLOAT32, check_length, check_shape, read_numbers, to_float32

SIGNATURE = "serving_default"


def predict_rows(model: LiveModel, content: bytes, max_rows: int) -> bytes:
    """Response of :predict: (rows, steps) under `predictions` for `instances`, under `outputs` for `inputs`.

    Raises NotJSON, BadInput or PredictionOverflow.
    """
    return answer(model, predicting(model, content, max_rows))


def predicting(model: LiveModel, content: bytes, max_rows: int) -> Answering[bytes]:
    """The steps of `predict_rows`. Raises what it does."""
    spec = model.card.input
    check_length(content, len(content), spec, max_rows)
    document = _parse(content)
    if "instances" in document:
        key, tensor = "predictions", _read_instances(document["instances"], spec)
    else:
        key, tensor = "outputs", _read_inputs(document["inputs"], spec)
    check_shape(tensor.shape, spec, max_rows)
    values = (yield to_float32(tensor, spec)).values
    return orjson.dumps({key: np.ascontiguousarray(values)}, option=orjson.OPT_SERIALIZE_NUMPY)


def _parse(content: bytes) -> dict[str, Any]:
    """Parse a request with either `instances` or `inputs`. Raises NotJSON or BadInput."""
    if not content:
        raise NotJSON("JSON Parse error: The document is empty")
    try:
        document = from_json(content)
    except ValueError as error:
        raise NotJSON(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise BadInput("JSON Value: Is not object")
    _check_signature(document.get("signature_name", SIGNATURE))
    given = {"inputs", "instances"} & document.keys()
    if len(given) > 1:
        raise BadInput("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if not given:
        raise BadInput("Missing 'inputs' or 'instances' key")
    return document


def _check_signature(name: Any) -> None:
    if not isinstance(name, str):
        raise BadInput("JSON Value: not formatted correctly. 'signature_name' key must be a string value.")
    if name not in {"", SIGNATURE}:
        raise BadInput(f'Serving signature name: "{name[:100]}" not found in signature def')


def _read_instances(instances: Any, spec: TensorSpec) -> NDArray[Any]:
    """Read `instances`: each item is a row, or an object with the row under the input's name. Raises BadInput."""
    if not isinstance(instances, list):
        raise BadInput("Excepting 'instances' to be an list/array")  # TensorFlow Serving's spelling
    if not instances:
        raise BadInput("No values in 'instances' array")
    named = isinstance(instances[0], dict)
    rows = [_unwrap(row, number, spec.name) for number, row in enumerate(instances)] if named else instances
    try:
        return read_numbers(rows, FLOAT32)
    except BadInput:
        raise _blame(rows, f" key: {spec.name}" if named else "") from None


def _unwrap(row: Any, number: int, name: str) -> Any:
    if not isinstance(row, dict):
        raise BadInput(f"Expecting object but got list at item {number} of input list")
    if row.keys() != {name}:
        raise BadInput(
            f"Failed to process element: {number} of 'instances' list. JSON object: keys must be equal to: {name}"
        )
    return row[name]


def _blame(rows: list[Any], key: str) -> BadInput:
    """The error for the first row that is invalid or differs in shape from row 0."""
    shape: tuple[int, ...] | None = None
    for number, row in enumerate(rows):
        if isinstance(row, dict):
            return BadInput(f"Expecting value/list but got object at item {number} of input list")
        try:
            shape = _read_like(row, shape)
        except BadInput as error:
            why = f"Error: INVALID_ARGUMENT: {error.detail}"
            return BadInput(f"Failed to process element: {number}{key} of 'instances' list. {why}")
    raise AssertionError("valid rows of one shape make a valid tensor")


def _read_like(row: Any, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    found = read_numbers(row, FLOAT32).shape
    if shape is not None and math.prod(found) != math.prod(shape):
        raise BadInput(f"Expecting tensor size: {math.prod(shape)} but got: {math.prod(found)}")
    if shape is not None and found != shape:
        raise BadInput(f"Expecting shape {list(shape)} but got: {list(found)}")
    return found


def _read_inputs(inputs: Any, spec: TensorSpec) -> NDArray[Any]:
    """Read `inputs`: a tensor, or an object with the tensor under the input's name. Raises BadInput."""
    if isinstance(inputs, dict):
        if spec.name not in inputs:
            raise BadInput(f"Missing named input: {spec.name} in 'inputs' object.")
        inputs = inputs[spec.name]
    return read_numbers(inputs, FLOAT32)
