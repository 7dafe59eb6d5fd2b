"""OpenAPI of the /infer routes: JSON and binary bodies, with examples."""

from collections.abc import Sequence
from typing import Any

from artifact import ModelCard
from service.inference.loader import LiveModel
from service.protocols.examples import set_body
from service.protocols.open_inference.schemas import InferRequest

PATHS = ("/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer")
BINARY = {"schema": {"type": "string", "format": "binary"}}


def document(openapi: dict[str, Any], models: Sequence[LiveModel]) -> None:
    """Add the request and response bodies to both /infer routes."""
    for path in PATHS:
        set_body(openapi, path, InferRequest, models, _example)
        operation = openapi["paths"][path]["post"]
        for side in (operation["requestBody"], operation["responses"]["200"]):
            side["content"]["application/octet-stream"] = BINARY


def _example(card: ModelCard) -> dict[str, Any]:
    """All golden samples in one tensor."""
    data = [value for sample in card.golden for value in sample.window]
    shape = [len(card.golden), *card.input.row_shape]
    return {"inputs": [{"name": card.input.name, "shape": shape, "datatype": "FP32", "data": data}]}
