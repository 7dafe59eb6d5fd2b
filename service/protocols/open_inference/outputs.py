"""Output tensors of an Open Inference response: selection, JSON or binary form, and encoding."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import orjson

from artifact import Batch, ModelCard
from service.inference.errors import BadInput
from service.protocols.open_inference.schemas import InferRequest, OutputParameters


class Answer(NamedTuple):
    """Bytes of a response. header_length: length of its JSON; None if no binary tensors follow it."""

    content: bytes
    header_length: int | None


def write(card: ModelCard, request: InferRequest | None, outputs: Mapping[str, Batch], *, extrapolated: bool) -> Answer:
    """Encode the requested outputs, or all of them.

    request: None for a bare tensor; then all outputs are binary. outputs: by name, (rows, steps) each.
    Raises BadInput for an unknown output or an unsupported form.
    """
    described, tensors = [], []
    for name, binary in _forms(card, request, outputs).items():
        values = np.ascontiguousarray(outputs[name])
        output: dict[str, Any] = {"name": name, "shape": values.shape, "datatype": "FP32"}
        if binary:
            output["parameters"] = {"binary_data_size": values.nbytes}
            tensors.append(values.astype("<f4", copy=False).tobytes())
        else:
            output["data"] = values.ravel()
        described.append(output)
    answer: dict[str, Any] = {"model_name": card.name, "model_version": str(card.version)}
    if request is not None and request.id is not None:
        answer["id"] = request.id
    answer |= {"parameters": {"extrapolated": extrapolated}, "outputs": described}
    content = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return Answer(b"".join([content, *tensors]), len(content) if tensors else None)


def _forms(card: ModelCard, request: InferRequest | None, outputs: Mapping[str, Batch]) -> dict[str, bool]:
    """Names of the outputs in the order of the response, and whether each is binary. Raises BadInput."""
    if request is None:
        return dict.fromkeys(outputs, True)
    if not request.outputs:
        return dict.fromkeys(outputs, _is_binary(OutputParameters(), request))
    names = [output.name for output in request.outputs]
    if not set(names) <= outputs.keys() or len(set(names)) < len(names):
        gives = f"one output, '{card.output.name}'" if len(outputs) == 1 else f"the outputs {', '.join(outputs)}"
        raise BadInput(f"{card.name} gives {gives}")
    return {output.name: _is_binary(output.parameters or OutputParameters(), request) for output in request.outputs}


def _is_binary(wanted: OutputParameters, request: InferRequest) -> bool:
    """Whether an output is binary: its own parameter, else the request's. Raises BadInput for an unsupported form."""
    if wanted.classification is not None or wanted.shared_memory_region is not None:
        raise BadInput("An output comes as JSON or as binary data; classification and shared memory are not supported")
    if wanted.binary_data is not None:
        return wanted.binary_data
    return bool(request.parameters and request.parameters.binary_data_output)
