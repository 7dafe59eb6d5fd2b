"""Health checks: /health/live (the process is running) and /health/ready (it can serve requests)."""

from fastapi import APIRouter

from service.inference.lifecycle import Lifecycle
from service.protocols.error_schemas import failures
from service.protocols.native.schemas import Live, Ready
from service.protocols.paths import LIVE, READY

MAX_SHOWN = 100  # models; a probe asks every few seconds


def add_health(router: APIRouter, lifecycle: Lifecycle) -> None:
    """Add GET /health/live and GET /health/ready."""

    @router.get(LIVE, tags=["health"], summary="Liveness: the process is running", responses=failures(405))
    async def live() -> Live:
        return Live()

    @router.get(READY, tags=["health"], summary="Readiness: the process can answer", responses=failures(405, 503))
    async def ready() -> Ready:
        lifecycle.check_ready()
        decided = lifecycle.decided_on(MAX_SHOWN)
        return Ready(
            models={name: model.live.number for name, model in decided.items() if model.live is not None},
            from_memory=[name for name, model in decided.items() if not model.in_repository],
        )
