"""OpenAPI of the :predict routes: the request body, with examples."""

from collections.abc import Sequence
from typing import Any

from service.inference.loader import LiveModel
from service.protocols.examples import golden_rows, set_body
from service.protocols.tensorflow_serving.schemas import PredictRequest

PATHS = ("/v1/models/{name}:predict", "/v1/models/{name}/versions/{version}:predict")


def document(openapi: dict[str, Any], models: Sequence[LiveModel]) -> None:
    """Add the request body to both :predict routes."""
    for path in PATHS:
        set_body(openapi, path, PredictRequest, models, lambda card: {"instances": golden_rows(card)})
