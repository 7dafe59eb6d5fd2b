"""The OpenAPI document: FastAPI's own, with the request bodies of the versions that are live."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from artifact import MODEL_NAMES, ModelCard
from service.errors import ServiceError
from service.lifecycle import Lifecycle
from service.schemas import Body, request_body


def describe(app: FastAPI, lifecycle: Lifecycle, max_batch_rows: int) -> dict[str, Any]:
    """The document as it is now; a window has as many values as the live version takes."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    # Whether a key is needed is up to the settings: without one the second of the two ways is open.
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}, {}]
    for name in MODEL_NAMES:
        try:
            card = lifecycle.live(name).card
        except ServiceError:
            continue
        single = request_body(name, card.window, None)
        batch = request_body(name, card.window, max_batch_rows)
        _set_body(document, f"/predict/{name}", single, _examples(card)[0])
        _set_body(document, f"/predict/{name}/batch", batch, _examples(card))
    return document


def _examples(card: ModelCard) -> list[Any]:
    """The golden samples: inputs of which the answer is known."""
    return [sample.window if card.name == "lstm" else sample.window[0] for sample in card.golden]


def _set_body(document: dict[str, Any], path: str, body: type[Body], example: Any) -> None:
    document["components"]["schemas"][body.__name__] = body.model_json_schema()
    content = {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}, "example": {body.key(): example}}
    document["paths"][path]["post"]["requestBody"] = {"required": True, "content": {"application/json": content}}
