"""The routes: what is asked of which model, and nothing of how it is answered."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.inference.errors import UnsupportedMedia
from service.inference.lifecycle import Lifecycle, LiveModel
from service.protocols.http_errors import DESCRIPTIONS
from service.protocols.native.codec import answer_batch, answer_single
from service.protocols.native.schemas import (
    KEYS,
    Failure,
    Invalid,
    Live,
    ModelInfo,
    Models,
    Prediction,
    Predictions,
    Ready,
    RefusedVersion,
    VersionInfo,
    Versions,
)
from service.protocols.work import work_on

Version = Annotated[int | None, Query(ge=1, description="one of the kept versions, instead of the live one")]


def _failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    models = {422: Invalid}
    return {code: {"model": models.get(code, Failure), "description": DESCRIPTIONS[code]} for code in statuses}


FAILURES = _failures(401, 405, 408, 413, 429, 431, 500, 503, 504)
PREDICT_FAILURES = FAILURES | _failures(400, 404, 415, 422)


def create_router(lifecycle: Lifecycle, max_batch_rows: int) -> APIRouter:
    """All routes, over the models of `lifecycle`."""
    router = APIRouter()
    _add_predict(router, lifecycle, max_batch_rows)
    _add_models(router, lifecycle)
    _add_health(router, lifecycle)
    return router


def _add_predict(router: APIRouter, lifecycle: Lifecycle, max_batch_rows: int) -> None:
    answer_rows = partial(answer_batch, max_rows=max_batch_rows)
    for name in KEYS:
        single, batch = _predict(lifecycle, name, answer_single), _predict(lifecycle, name, answer_rows)
        options: dict[str, Any] = {"methods": ["POST"], "tags": ["predict"], "responses": PREDICT_FAILURES}
        router.add_api_route(
            f"/predict/{name}",
            single,
            name=f"predict_{name}",
            summary=f"One prediction of the {name.upper()}",
            response_model=Prediction,
            **options,
        )
        router.add_api_route(
            f"/predict/{name}/batch",
            batch,
            name=f"predict_{name}_batch",
            summary=f"Predictions of the {name.upper()} for many rows",
            response_model=Predictions,
            **options,
        )


def _predict(
    lifecycle: Lifecycle, name: str, answer: Callable[[LiveModel, bytes], bytes]
) -> Callable[[Request], Awaitable[Response]]:
    async def predict(request: Request, version: Version = None) -> Response:
        content = await _json_content(request)
        model = lifecycle.live(name, version)
        return _json(await work_on(content, partial(answer, model, content)))

    return predict


async def _json_content(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise UnsupportedMedia("Content-Encoding is not taken here; send the JSON as it is")
    media_type = request.headers.get("content-type", "application/json").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise UnsupportedMedia("Content-Type must be application/json")
    return await request.body()


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


def _add_models(router: APIRouter, lifecycle: Lifecycle) -> None:
    def info(name: str, version: int | None = None) -> ModelInfo:
        state = lifecycle.state(name)
        refused = [RefusedVersion(version=v, reason=state.refused[v]) for v in sorted(state.refused, reverse=True)]
        return ModelInfo(
            name=name,
            version=state.live and state.live.card.version,
            pinned=state.pinned,
            in_repository=state.in_repository,
            kept=sorted(state.kept, reverse=True),
            refused=refused,
            card=None if version is None and state.live is None else lifecycle.live(name, version).card,
        )

    @router.get("/models", tags=["models"], summary="All models", responses=FAILURES)
    async def list_models() -> Models:
        return Models(models=[info(name) for name in lifecycle.names()])

    @router.get("/models/{name}", tags=["models"], summary="One model", responses=FAILURES | _failures(404, 422))
    async def get_model(name: str, version: Version = None) -> ModelInfo:
        return info(name, version)

    @router.get(
        "/models/{name}/versions",
        tags=["models"],
        summary="A model's versions",
        responses=FAILURES | _failures(404, 422),
    )
    async def get_versions(name: str) -> Versions:
        state = lifecycle.state(name)
        standings: dict[int, VersionInfo] = {v: VersionInfo(version=v, status="kept") for v in state.kept}
        standings |= {v: VersionInfo(version=v, status="refused", reason=why) for v, why in state.refused.items()}
        if state.live is not None:
            live = state.live.card.version
            standings[live] = VersionInfo(version=live, status="live")
        return Versions(pinned=state.pinned, versions=[standings[v] for v in sorted(standings, reverse=True)])


def _add_health(router: APIRouter, lifecycle: Lifecycle) -> None:
    @router.get("/health/live", tags=["health"], summary="Whether the process is there", responses=_failures(405))
    async def live() -> Live:
        return Live()

    @router.get("/health/ready", tags=["health"], summary="Whether the process is ready", responses=_failures(405, 503))
    async def ready() -> Ready:
        lifecycle.check_ready()
        states = {name: lifecycle.state(name) for name in lifecycle.names()}
        return Ready(models={name: state.live.card.version for name, state in states.items() if state.live})
