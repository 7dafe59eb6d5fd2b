"""The OpenAPI document: FastAPI's own, with the request bodies of the versions that are live."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from artifact import ModelCard
from service.inference.errors import ServiceError
from service.inference.lifecycle import Lifecycle
from service.protocols.http_errors import error_key
from service.protocols.native.schemas import KEYS, Body, request_body
from service.protocols.open_inference.schemas import InferRequest, PredictRequest

VERSIONED = "/versions/{version}"


def describe(app: FastAPI, lifecycle: Lifecycle, max_batch_rows: int) -> dict[str, Any]:
    """The document as it is now; a window has as many values as the live version takes."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    # Whether a key is needed is up to the settings: without one the second of the two ways is open.
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}, {}]
    cards: list[ModelCard] = []
    for name in KEYS:
        try:
            card = lifecycle.live(name).card
        except ServiceError:
            continue
        cards.append(card)
        single = request_body(name, card.window, None)
        batch = request_body(name, card.window, max_batch_rows)
        _set_body(document, f"/predict/{name}", single, _examples(card)[0])
        _set_body(document, f"/predict/{name}/batch", batch, _examples(card))
    infer, predict = ({card.name: {"value": show(card)} for card in cards} for show in (_infer, _instances))
    for version in ("", VERSIONED):
        _set_protocol_body(document, f"/v2/models/{{name}}{version}/infer", InferRequest, infer)
        _add_bytes(document["paths"][f"/v2/models/{{name}}{version}/infer"]["post"])
        _set_protocol_body(document, f"/v1/models/{{name}}{version}:predict", PredictRequest, predict)
    for path, operations in document["paths"].items():
        for operation in operations.values() if error_key(path) == "error" else ():
            operation["responses"].pop("422", None)  # FastAPI's, for parameters; these are strings, and any string is
    return document


def _add_bytes(operation: dict[str, Any]) -> None:
    """Beside JSON alone, JSON with a tensor behind it."""
    for side in (operation["requestBody"], operation["responses"]["200"]):
        side["content"]["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}


def _infer(card: ModelCard) -> dict[str, Any]:
    shape = [len(card.golden), *filter(None, card.input.shape[1:])]
    data = [value for sample in card.golden for value in sample.window]
    return {"inputs": [{"name": card.input.name, "shape": shape, "datatype": "FP32", "data": data}]}


def _instances(card: ModelCard) -> dict[str, Any]:
    return {"instances": _examples(card)}


def _set_protocol_body(document: dict[str, Any], path: str, body: type[BaseModel], examples: dict[str, Any]) -> None:
    """One body for every model, with an example for each of them."""
    schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= schema.pop("$defs", {}) | {body.__name__: schema}
    content = {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}, "examples": examples}
    document["paths"][path]["post"]["requestBody"] = {"required": True, "content": {"application/json": content}}


def _examples(card: ModelCard) -> list[Any]:
    """The golden samples: inputs of which the answer is known."""
    return [sample.window if card.name == "lstm" else sample.window[0] for sample in card.golden]


def _set_body(document: dict[str, Any], path: str, body: type[Body], example: Any) -> None:
    document["components"]["schemas"][body.__name__] = body.model_json_schema()
    content = {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}, "example": {body.key(): example}}
    document["paths"][path]["post"]["requestBody"] = {"required": True, "content": {"application/json": content}}
