"""Examples in the OpenAPI document: golden samples of the live models, whose forecasts are known."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from artifact import ModelCard
from service.inference.loader import LiveModel

MAX_EXAMPLES = 10  # models with an example in a request body that all models share


def golden_rows(card: ModelCard) -> list[Any]:
    """The golden samples as JSON rows: lists of numbers, or plain numbers if a row is a single value."""
    return [sample.window[0] if card.input.is_single_value else sample.window for sample in card.golden]


def set_body(
    openapi: dict[str, Any],
    path: str,
    body: type[BaseModel],
    models: Sequence[LiveModel],
    example: Callable[[ModelCard], Any],
) -> None:
    """Add the request body of POST `path`, shared by all models, with examples of at most MAX_EXAMPLES models."""
    schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
    openapi["components"]["schemas"] |= schema.pop("$defs", {}) | {body.__name__: schema}
    examples = {model.card.name: {"value": example(model.card)} for model in models[:MAX_EXAMPLES]}
    content = {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}, "examples": examples}
    openapi["paths"][path]["post"]["requestBody"] = {"required": True, "content": {"application/json": content}}
