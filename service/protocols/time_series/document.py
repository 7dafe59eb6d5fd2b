"""OpenAPI of KServe's time series protocol: the request body, with examples."""

from collections.abc import Sequence
from typing import Any

from artifact import ModelCard
from service.inference.loader import LiveModel
from service.protocols.examples import set_body
from service.protocols.paths import TIME_SERIES
from service.protocols.time_series.schemas import ForecastRequest


def document(openapi: dict[str, Any], models: Sequence[LiveModel]) -> None:
    """Add the request body."""
    set_body(openapi, f"{TIME_SERIES}/forecast", ForecastRequest, models, _example)


def _example(card: ModelCard) -> dict[str, Any]:
    series = {
        "type": "univariate_time_series",
        "name": card.data.column or card.name,
        "series": card.golden[0].window,
        "frequency": card.data.frequency or "day",
    }
    options: dict[str, Any] = {"horizon": card.steps}
    if card.intervals is not None:
        options["quantiles"] = [0.1, 0.5, 0.9]
    return {"model": card.name, "inputs": [series], "options": options}
