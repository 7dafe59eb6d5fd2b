"""OpenAPI of /predict: one pair of paths for each live model, with its own name, shape and examples."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from artifact import ModelCard
from service.inference.lifecycle import LiveModel
from service.protocols.examples import golden_rows
from service.protocols.native.body import Body, batch_body, single_body
from service.protocols.paths import PREDICT

SINGLE, BATCH = f"{PREDICT}{{name}}", f"{PREDICT}{{name}}/batch"
MAX_MODELS = 100  # a document of 10,000 models would have 60 MB; beyond 100 the paths with {name} stay for the rest


def document(openapi: dict[str, Any], models: Sequence[LiveModel], max_batch_rows: int) -> None:
    """Put the paths of the live models in the place of /predict/{name}; without live models it stays."""
    templates = {path: openapi["paths"].pop(path) for path in (SINGLE, BATCH)}
    single, batch = templates[SINGLE]["post"], templates[BATCH]["post"]
    paths: dict[str, Any] = {}
    for card in (model.card for model in models[:MAX_MODELS]):
        rows, predictions = golden_rows(card), _golden_predictions(card)
        head = {"model": card.name, "version": card.version}
        one, many = single_body(card.input, card.window), batch_body(card.input, card.window, max_batch_rows)
        answer = head | {"prediction": predictions[0], "extrapolated": False}
        answers = head | {"predictions": predictions, "extrapolated": []}
        paths[f"{PREDICT}{card.name}"] = {"post": _operation(single, card.name, one, rows[0], answer)}
        paths[f"{PREDICT}{card.name}/batch"] = {"post": _operation(batch, card.name, many, rows, answers)}
    if len(models) != len(paths) / 2 or not paths:
        paths |= templates
    openapi["paths"] = paths | openapi["paths"]


def _operation(template: dict[str, Any], name: str, body: type[Body], content: Any, answer: Any) -> dict[str, Any]:
    """The operation for one model: no name among the parameters, its own request body and answer."""
    operation = deepcopy(template)
    operation["parameters"] = [found for found in template["parameters"] if found["in"] != "path"]
    operation["operationId"] = f"{template['operationId']}_{name}"
    operation["summary"] = f"{template['summary']} of {name}"
    media = {"schema": body.model_json_schema(), "example": {body.key(): content}}
    operation["requestBody"] = {"required": True, "content": {"application/json": media}}
    operation["responses"]["200"]["content"]["application/json"]["example"] = answer
    return operation


def _golden_predictions(card: ModelCard) -> list[float]:
    """The first steps, in the shortest form of a float32, as the service writes them."""
    return [float(str(np.float32(sample.forecast[0]))) for sample in card.golden]
