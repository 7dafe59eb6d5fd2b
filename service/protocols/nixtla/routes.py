"""Routes of Nixtla's API that NixtlaClient calls; determined by running version 0.9 of the client."""

from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from service.inference.errors import BadInput
from service.inference.lifecycle import Lifecycle
from service.protocols.error_schemas import ANY_ROUTE, failures, protocol_failures
from service.protocols.lookup import loading
from service.protocols.nixtla.codec import anomalies, backtest, forecasts, online_anomalies, parameters
from service.protocols.nixtla.compression import decompress
from service.protocols.nixtla.document import document
from service.protocols.nixtla.schemas import REFUSALS, Accepted, Anomalies, Backtest, Detail, Forecasts
from service.protocols.protocol import Limits, Protocol
from service.protocols.work import work_on

TAGS: list[str | Enum] = ["Nixtla's client"]
CLIENT_HEADER = b"nixtla-client-version"
JOBS = "jobs are not run here; call the client's method itself, as client.forecast(…) for client.jobs.forecast(…)"
REFUSED = {
    "finetune": REFUSALS["finetune_steps"],
    "simulate": "simulate: sample paths are not drawn here; ask forecast for levels or quantiles",
    "explain": REFUSALS["feature_contributions"],
    "execute_step": JOBS,
}

Answer = Callable[[Lifecycle, bytes, int], bytes]


class _ClientRoute(APIRoute):
    """A route that matches requests of NixtlaClient only: another protocol has the same path with another response."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and not any(name == CLIENT_HEADER for name, _ in scope["headers"]):
            return Match.NONE, {}
        return super().matches(scope)


def create(lifecycle: Lifecycle, limits: Limits) -> Protocol:
    """Create Nixtla's protocol for the models of `lifecycle`."""
    predict, other = APIRouter(tags=TAGS), APIRouter(tags=TAGS)
    _add_tasks(predict, lifecycle, limits)
    _add_client(predict, lifecycle)
    _add_refused(other)
    return Protocol(predict, other, document)


def _add_tasks(router: APIRouter, lifecycle: Lifecycle, limits: Limits) -> None:
    tasks: list[tuple[str, str, Answer, Any]] = [
        ("forecast", "Forecasts: NixtlaClient.forecast", forecasts, Forecasts),
        ("cross_validation", "Forecasts of past rows: NixtlaClient.cross_validation", backtest, Backtest),
        ("online_anomaly_detection", "The last rows: detect_anomalies_online", online_anomalies, Anomalies),
        ("anomaly_detection", "All rows: NixtlaClient.detect_anomalies", anomalies, Anomalies),
    ]
    for name, summary, answer, model in tasks:
        router.add_api_route(
            f"/v2/{name}",
            _task(lifecycle, limits, answer),
            methods=["POST"],
            name=f"nixtla_{name}",
            summary=summary,
            response_model=model,
            responses=protocol_failures(*ANY_ROUTE, 400, 404, 415),
        )


def _task(lifecycle: Lifecycle, limits: Limits, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def task(request: Request) -> Response:
        content = await request.body()
        encoding = request.headers.get("content-encoding", "")
        work = partial(_answer, lifecycle, limits, answer, content, encoding)
        answered = await loading(lifecycle, lambda: work_on(content, work, is_compressed=bool(encoding)))
        return Response(answered, media_type="application/json")

    return task


def _answer(lifecycle: Lifecycle, limits: Limits, answer: Answer, content: bytes, encoding: str) -> bytes:
    return answer(lifecycle, decompress(content, encoding, limits.max_body_bytes), limits.max_batch_rows)


def _add_client(router: APIRouter, lifecycle: Lifecycle) -> None:
    @router.get("/validate_api_key", summary="Whether the API key is accepted", responses=failures(*ANY_ROUTE))
    async def validate_api_key() -> Accepted:
        return Accepted()

    @router.get(
        "/model_params",
        summary="Window and steps of a model",
        response_model=Detail,
        responses=failures(*ANY_ROUTE, 404, 422),
    )
    async def model_params(model: Annotated[str, Query(description="name of a published model")]) -> Response:
        return Response(parameters(await lifecycle.load(model)), media_type="application/json")

    async def models() -> dict[str, list[dict[str, str]]]:
        return {"models": [{"name": name} for name in lifecycle.names()]}

    router.add_api_route("/v2/models", models, include_in_schema=False, route_class_override=_ClientRoute)


def _add_refused(router: APIRouter) -> None:
    """Add routes for unsupported features of the client: an error that says why, instead of a 404."""

    @router.get("/v2/finetuned_models", include_in_schema=False)
    async def finetuned_models() -> dict[str, list[str]]:
        return {"finetuned_models": []}

    @router.post("/v2/{task}/async", include_in_schema=False)
    async def job(task: str) -> None:
        raise BadInput(REFUSED.get(task, JOBS))

    for path, words in REFUSED.items():
        router.add_api_route(f"/v2/{path}", partial(_refuse, words), methods=["POST"], include_in_schema=False)


async def _refuse(words: str) -> None:
    raise BadInput(words)
