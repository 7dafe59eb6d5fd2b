"""Routes of the native protocol: /predict and /forecast for one row or a batch, /score, /models and /health."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from service.inference.errors import UnsupportedMedia
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.protocols.error_schemas import ANY_ROUTE, failures
from service.protocols.native.codec import answer_batch, answer_single, predicting
from service.protocols.native.document import document
from service.protocols.native.forecasts import answer_forecast, answer_forecasts, forecasting
from service.protocols.native.health import add_health
from service.protocols.native.models import Version, add_models
from service.protocols.native.schemas import ForecastAnswer, ForecastsAnswer, Prediction, Predictions, ScoreAnswer
from service.protocols.native.scores import answer_score
from service.protocols.paths import FORECAST, PREDICT, SCORE
from service.protocols.protocol import Limits, Protocol, Single
from service.protocols.work import work_on

SINGLES = [
    Single(prefix, "", answering, unless=frozenset({b"content-encoding"}))
    for prefix, answering in ((PREDICT, predicting), (FORECAST, forecasting))
]
OPTIONS: dict[str, Any] = {"methods": ["POST"], "responses": failures(*ANY_ROUTE, 400, 404, 415, 422)}


def create(lifecycle: Lifecycle, limits: Limits) -> Protocol:
    """Create the native protocol for the models of `lifecycle`."""
    predict, other = APIRouter(), APIRouter()
    _add_predict(predict, lifecycle, limits)
    _add_forecast(predict, lifecycle, limits)
    _add_score(other, lifecycle, limits)
    add_models(other, lifecycle)
    add_health(other, lifecycle)
    return Protocol(predict, other, partial(document, max_batch_rows=limits.max_batch_rows), SINGLES)


def _add_predict(router: APIRouter, lifecycle: Lifecycle, limits: Limits) -> None:
    single = _route(lifecycle, answer_single)
    batch = _route(lifecycle, partial(answer_batch, max_rows=limits.max_batch_rows))
    options = OPTIONS | {"tags": ["predict"]}
    router.add_api_route(
        f"{PREDICT}{{name}}", single, name="predict", summary="One prediction", response_model=Prediction, **options
    )
    router.add_api_route(
        f"{PREDICT}{{name}}/batch",
        batch,
        name="predict_batch",
        summary="Predictions for many rows",
        response_model=Predictions,
        **options,
    )


def _add_forecast(router: APIRouter, lifecycle: Lifecycle, limits: Limits) -> None:
    single = _route(lifecycle, answer_forecast)
    batch = _route(lifecycle, partial(answer_forecasts, max_rows=limits.max_batch_rows))
    options = OPTIONS | {"tags": ["forecast"]}
    router.add_api_route(
        f"{FORECAST}{{name}}",
        single,
        name="forecast",
        summary="One forecast, all steps",
        response_model=ForecastAnswer,
        **options,
    )
    router.add_api_route(
        f"{FORECAST}{{name}}/batch",
        batch,
        name="forecast_batch",
        summary="Forecasts for many rows",
        response_model=ForecastsAnswer,
        **options,
    )


def _add_score(router: APIRouter, lifecycle: Lifecycle, limits: Limits) -> None:
    @router.api_route(
        f"{SCORE}{{name}}",
        name="score",
        tags=["score"],
        summary="Errors on actual values",
        response_model=ScoreAnswer,
        **OPTIONS,
    )
    async def score(request: Request, name: str) -> Response:
        content = await _json_content(request)
        live, kept = await lifecycle.load(name), (await lifecycle.loaded_state(name)).kept
        others = [kept[version] for version in sorted(kept, reverse=True) if kept[version] is not live]
        work = partial(answer_score, live, others, content, limits.max_batch_rows)
        return Response(await work_on(content, work), media_type="application/json")


def _route(
    lifecycle: Lifecycle, answer: Callable[[LiveModel, bytes], bytes]
) -> Callable[[Request, str], Awaitable[Response]]:
    async def route(request: Request, name: str, version: Version = None) -> Response:
        content = await _json_content(request)
        model = await lifecycle.load(name, version)
        answered = await work_on(content, partial(answer, model, content))
        return Response(answered, media_type="application/json")

    return route


async def _json_content(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise UnsupportedMedia("Content-Encoding is not supported here; send the JSON uncompressed")
    media_type = request.headers.get("content-type", "application/json").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise UnsupportedMedia("Content-Type must be application/json")
    return await request.body()
