"""Routes below /models: cards, live and kept versions, and the reasons for refused ones."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.inference.errors import UnknownModel
from service.inference.lifecycle import Lifecycle
from service.inference.loader import ModelState
from service.protocols.error_schemas import ANY_ROUTE, failures
from service.protocols.listing import respond
from service.protocols.native.schemas import ModelInfo, Models, RefusedVersion, VersionInfo, Versions

Version = Annotated[int | None, Query(ge=1, description="a kept version, instead of the live one")]
Prefix = Annotated[str, Query(max_length=128)]
Limit = Annotated[int | None, Query(ge=1, le=10_000, description="most models in the answer; unset: all")]
Cards = Annotated[bool, Query(description="false leaves the cards out, which have some kilobytes each")]
PART = 50  # models of a list that are sent at once: cards have some kilobytes each


def add_models(router: APIRouter, lifecycle: Lifecycle) -> None:
    """Add GET /models, /models/{name} and /models/{name}/versions."""
    known = failures(*ANY_ROUTE, 404, 422)

    @router.get(
        "/models",
        tags=["models"],
        summary="Models, sorted by name",
        response_model=Models,
        responses=failures(*ANY_ROUTE, 422),
    )
    async def list_models(
        prefix: Prefix = "", after: Prefix = "", limit: Limit = None, *, cards: Cards = True
    ) -> Response:
        found = [name for name in lifecycle.names() if name.startswith(prefix) and name > after][:limit]
        return respond(_infos(lifecycle, found, cards=cards), PART, b'{"models":[', b"]}")

    @router.get("/models/{name}", tags=["models"], summary="One model", responses=known)
    async def get_model(name: str, version: Version = None) -> ModelInfo:
        info = _info(name, await lifecycle.loaded_state(name))
        return info if version is None else info.model_copy(update={"card": (await lifecycle.load(name, version)).card})

    @router.get("/models/{name}/versions", tags=["models"], summary="A model's versions", responses=known)
    async def get_versions(name: str) -> Versions:
        return _versions(await lifecycle.decided_state(name))


def _infos(lifecycle: Lifecycle, names: Iterable[str], *, cards: bool) -> Iterator[bytes]:
    for name in names:
        with suppress(UnknownModel):  # removed in the meantime
            info = _info(name, lifecycle.state(name))
            yield (info if cards else info.model_copy(update={"card": None})).model_dump_json(by_alias=True).encode()


def _info(name: str, state: ModelState) -> ModelInfo:
    decision, live = state.decision, state.decision.live
    return ModelInfo(
        name=name,
        version=live.number if live is not None and not decision.is_waiting else None,
        pinned=state.pinned,
        in_repository=state.in_repository,
        kept=sorted(decision.kept, reverse=True),
        refused=_reasons(state.refused),
        refused_count=decision.refused_count if decision.refused_count > len(state.refused) else None,
        unknown=_reasons(state.unknown),
        pin_problem=state.pin_problem,
        loaded=state.live is not None or not (decision.can_load or decision.wish == "unload"),
        card=state.live.card if state.live is not None else None,
    )


def _reasons(versions: Mapping[int, str]) -> list[RefusedVersion]:
    return [RefusedVersion(version=v, reason=versions[v]) for v in sorted(versions, reverse=True)]


def _versions(state: ModelState) -> Versions:
    found = {v: VersionInfo(version=v, status="unknown", reason=why) for v, why in state.unknown.items()}
    found |= {v: VersionInfo(version=v, status="kept") for v in state.decision.kept}
    found |= {v: VersionInfo(version=v, status="refused", reason=why) for v, why in state.refused.items()}
    if state.decision.live is not None:
        live = state.decision.live.number
        found[live] = VersionInfo(version=live, status="live")
    return Versions(pinned=state.pinned, versions=[found[v] for v in sorted(found, reverse=True)])
