"""Routes of KServe's time series protocol: POST /v1/timeseries/forecast and GET /v1/timeseries/models."""

from enum import Enum
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from service.inference.errors import UnsupportedMedia
from service.inference.lifecycle import Lifecycle
from service.protocols.error_schemas import ANY_ROUTE, DESCRIPTIONS, Responses
from service.protocols.lookup import loading
from service.protocols.paths import TIME_SERIES
from service.protocols.protocol import Limits, Protocol
from service.protocols.time_series.codec import answer
from service.protocols.time_series.document import document
from service.protocols.time_series.schemas import ErrorResponse, ForecastResponse
from service.protocols.work import work_on

TAGS: list[str | Enum] = ["KServe time series"]
FORECAST, MODELS = f"{TIME_SERIES}/forecast", f"{TIME_SERIES}/models"

FORECASTS = """Any published model answers. Of a series longer than the model's window the end is used; a shorter one is
an error for its own output. `horizon` is at most the model's `steps`. Quantiles are the ends of prediction intervals,
and never cross. With a `start_timestamp` every value has a time; a frequency that is not the model's is refused."""


def create(lifecycle: Lifecycle, limits: Limits) -> Protocol:
    """Create KServe's time series protocol for the models of `lifecycle`."""
    predict, other = APIRouter(tags=TAGS), APIRouter()
    _add_forecast(predict, lifecycle, limits.max_batch_rows)
    _add_models(predict, lifecycle)
    _add_wrong_methods(predict)
    return Protocol(predict, other, document)


def _add_forecast(router: APIRouter, lifecycle: Lifecycle, max_rows: int) -> None:
    @router.post(
        FORECAST,
        summary="Forecasts of series with dates",
        description=FORECASTS,
        response_model=ForecastResponse,
        responses=_failures(*ANY_ROUTE, 400, 404, 415),
    )
    async def forecast(request: Request) -> Response:
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise UnsupportedMedia("Content-Encoding is not supported here; send the JSON uncompressed")
        content = await request.body()
        work = partial(answer, lifecycle, content, max_rows)
        answered = await loading(lifecycle, lambda: work_on(content, work))
        return Response(answered, media_type="application/json")


def _add_models(router: APIRouter, lifecycle: Lifecycle) -> None:
    @router.get(MODELS, summary="Names of the models", responses=_failures(*ANY_ROUTE))
    async def models() -> list[str]:
        return lifecycle.names()


def _add_wrong_methods(router: APIRouter) -> None:
    """Add a 405 for the wrong method: else TensorFlow Serving's last route would match, with its error message."""

    @router.get(FORECAST, include_in_schema=False)
    async def get_forecast() -> None:
        raise HTTPException(405, headers={"Allow": "POST"})

    @router.post(MODELS, include_in_schema=False)
    async def post_models() -> None:
        raise HTTPException(405, headers={"Allow": "GET"})


def _failures(*statuses: int) -> Responses:
    descriptions = {**DESCRIPTIONS, 400: "Not JSON, not of the protocol's form, or more than the model can forecast"}
    return {code: {"model": ErrorResponse, "description": descriptions[code]} for code in statuses}
