"""OpenAPI of /predict, /forecast and /score: one path per live model, with its name, shape and examples."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifact import ModelCard
from service.inference.loader import LiveModel
from service.inference.score import score
from service.protocols.examples import golden_rows
from service.protocols.native.body import Body, batch_body, forecast_batch_body, forecast_body, score_body, single_body
from service.protocols.native.forecasts import level_text
from service.protocols.native.scores import version_score
from service.protocols.paths import FORECAST, PREDICT, SCORE

ROWS = tuple(f"{prefix}{{name}}{rows}" for prefix in (PREDICT, FORECAST) for rows in ("", "/batch"))
TEMPLATES = (*ROWS, f"{SCORE}{{name}}")
MAX_MODELS = 100  # 10,000 models would make a document of 60 MB; models beyond 100 share the paths with {name}
LEVELS = (80, 95)


class _Example(NamedTuple):
    """A request body and its response."""

    body: type[Body]
    content: dict[str, Any]
    answer: dict[str, Any]


def document(openapi: dict[str, Any], models: Sequence[LiveModel], max_batch_rows: int) -> None:
    """Replace the paths with {name} by one path per live model; without live models they stay."""
    all_paths = openapi["paths"]
    templates = {path: {"post": all_paths[path].pop("post")} for path in TEMPLATES}
    paths: dict[str, Any] = {}
    for card in (model.card for model in models[:MAX_MODELS]):
        for path, example in _examples(card, max_batch_rows).items():
            paths[path.format(name=card.name)] = {"post": _operation(templates[path]["post"], card.name, example)}
    if len(models) > MAX_MODELS or not models:
        for path, operations in templates.items():
            all_paths[path] |= operations
    paths = dict(sorted(paths.items(), key=lambda item: item[0].startswith(SCORE)))  # /score last: it is used least
    openapi["paths"] = paths | {path: operations for path, operations in all_paths.items() if operations}


def _operation(template: dict[str, Any], name: str, example: _Example) -> dict[str, Any]:
    """The operation for one model: without the path parameter, with the model's request body and response."""
    operation = deepcopy(template)
    operation["parameters"] = [found for found in template["parameters"] if found["in"] != "path"]
    operation["operationId"] = f"{template['operationId']}_{name}"
    operation["summary"] = f"{template['summary']} of {name}"
    media = {"schema": example.body.model_json_schema(), "example": example.content}
    operation["requestBody"] = {"required": True, "content": {"application/json": media}}
    operation["responses"]["200"]["content"]["application/json"]["example"] = example.answer
    return operation


def _examples(card: ModelCard, max_rows: int) -> dict[str, _Example]:
    """Examples by path, made from the golden samples: all of them in a batch, else the first one."""
    rows, key, head = golden_rows(card), card.input.name, {"model": card.name, "version": card.version}
    values = np.array([sample.forecast for sample in card.golden], np.float32)
    levels = [level for level in LEVELS if card.intervals is not None and level <= card.intervals.highest_level]
    asked = {"levels": levels} if levels else {}
    ends = _intervals(card, values, levels)
    of_first = {level: {end: found[0] for end, found in both.items()} for level, both in ends.items()}
    firsts = _shortest(values[:, 0])
    single, batch = single_body(card.input, card.window), batch_body(card.input, card.window, max_rows)
    one, many = forecast_body(card.input, card.window), forecast_batch_body(card.input, card.window, max_rows)
    forecast = {"forecast": _shortest(values[0]), "intervals": of_first}
    forecasts = {"forecasts": _shortest(values), "intervals": ends}
    answers: list[tuple[type[Body], dict[str, Any], dict[str, Any]]] = [
        (single, {key: rows[0]}, {"prediction": firsts[0], "extrapolated": False}),
        (batch, {f"{key}s": rows}, {"predictions": firsts, "extrapolated": []}),
        (one, {key: rows[0]} | asked, forecast | {"extrapolated": False}),
        (many, {f"{key}s": rows} | asked, forecasts | {"extrapolated": []}),
    ]
    examples = {
        path: _Example(body, content, head | answer)
        for path, (body, content, answer) in zip(ROWS, answers, strict=True)
    }
    return examples | {TEMPLATES[-1]: _score(card, rows, values, max_rows)}


def _score(card: ModelCard, rows: list[Any], values: NDArray[np.float32], max_rows: int) -> _Example:
    """Example of /score: golden samples, with their rounded forecasts as actual values and one null."""
    actuals = [[float(f"{value:.2g}") for value in row] for row in values]
    actuals[-1][-1] = np.nan
    windows = np.array([sample.window for sample in card.golden], np.float32)
    found = version_score(card, score(card, windows, values, np.array(actuals)))
    answer = {"model": card.name, "version": card.version, "scores": [found.model_dump()], "skipped": []}
    shown = [[None if np.isnan(value) else value for value in row] for row in actuals]
    content = {f"{card.input.name}s": rows, "actuals": shown}
    return _Example(score_body(card.input, card.window, card.steps, max_rows), content, answer)


def _intervals(card: ModelCard, values: NDArray[np.float32], levels: Sequence[float]) -> dict[str, dict[str, Any]]:
    if card.intervals is None:
        return {}
    windows = np.array([sample.window for sample in card.golden], np.float32)
    lower, upper = card.intervals.bounds(card.intervals.ends(levels), windows, values)
    return {
        level_text(level): {"lower": _shortest(lower[k]), "upper": _shortest(upper[k])}
        for k, level in enumerate(levels)
    }


def _shortest(values: NDArray[Any]) -> Any:
    """Numbers in the shortest form of a float32, as the service writes them."""
    if values.ndim > 1:
        return [_shortest(row) for row in values]
    return [float(str(value)) for value in values.astype(np.float32)]
