"""The model repository extension: an index of all versions, and loading and unloading of a model, as in Triton."""

from collections.abc import Iterator
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request, Response

from service.inference.control import Control
from service.inference.errors import BadInput
from service.inference.lifecycle import Lifecycle
from service.inference.loader import ModelState
from service.protocols.error_schemas import ANY_ROUTE
from service.protocols.error_schemas import protocol_failures as failures
from service.protocols.listing import respond
from service.protocols.open_inference.schemas import ControlRequest, IndexEntry, IndexRequest

FAILURES = failures(*ANY_ROUTE)
MAX_BODY_BYTES = 1024  # the longest valid body, {"parameters": {"unload_dependents": false}}, has about fifty
NEVER_ASKED = "not loaded yet; the first request loads it"
PART = 1000  # entries of an index that are sent at once: a few milliseconds
CONTROL = """Keeps a model loaded in every worker, whatever else is asked for, until it is unloaded. Answers when every
worker has loaded it."""
UNLOAD = """Puts a model away in every worker. It is not served, and not ready, until it is loaded again. Answers when
no worker serves it."""


def add_index(router: APIRouter, lifecycle: Lifecycle) -> None:
    """Add the index of the repository, to POST as Triton has it and to GET."""
    options: dict[str, Any] = {"response_model": list[IndexEntry]}

    @router.post(
        "/v2/repository/index", summary="Every version of every model", responses=FAILURES | failures(400), **options
    )
    async def repository_index(request: Request) -> Response:
        only_ready = _read_index_request(await request.body()).ready
        return _respond(entry for entry in _index_of_all(lifecycle) if entry["state"] == "READY" or not only_ready)

    @router.get("/v2/models", summary="The same as /v2/repository/index, to GET", responses=FAILURES, **options)
    async def models() -> Response:
        return _respond(_index_of_all(lifecycle))


def _respond(entries: Iterator[dict[str, str]]) -> Response:
    return respond(map(orjson.dumps, entries), PART)


def _index_of_all(lifecycle: Lifecycle) -> Iterator[dict[str, str]]:
    return (entry for name, state in lifecycle.states().items() for entry in _index(name, state))


def _index(name: str, state: ModelState) -> Iterator[dict[str, str]]:
    """The versions of a model, highest first; of one that was never asked for, one entry without a version."""
    decision = state.decision
    if decision.is_waiting:
        yield _entry(name, "", NEVER_ASKED)
        return
    unloaded = dict.fromkeys(decision.kept, "unloaded") if decision.wish == "unload" else {}
    for version in sorted(decision.kept.keys() | state.refused.keys(), reverse=True):
        yield _entry(name, str(version), unloaded.get(version) or state.refused.get(version))


def _entry(name: str, version: str, reason: str | None) -> dict[str, str]:
    state: Literal["READY", "UNAVAILABLE"] = "READY" if reason is None else "UNAVAILABLE"
    return {"name": name, "version": version, "state": state, "reason": reason or ""}


def _read_index_request(content: bytes) -> IndexRequest:
    if len(content) > MAX_BODY_BYTES:
        raise BadInput(f'More than {MAX_BODY_BYTES} bytes; send {{"ready": true}}, or nothing')
    return IndexRequest.parse(content or b"{}")


def add_control(router: APIRouter, lifecycle: Lifecycle) -> None:
    """Add loading and unloading of a model by name."""
    control, responses = Control(lifecycle), FAILURES | failures(400, 404)

    @router.post("/v2/repository/models/{name}/load", summary="Load a model", description=CONTROL, responses=responses)
    async def load(request: Request, name: str) -> dict[str, str]:
        _check(await request.body())
        await control.apply(name, "load")
        return {}

    @router.post(
        "/v2/repository/models/{name}/unload", summary="Unload a model", description=UNLOAD, responses=responses
    )
    async def unload(request: Request, name: str) -> dict[str, str]:
        _check(await request.body())
        await control.apply(name, "unload")
        return {}


def _check(content: bytes) -> None:
    """Raise BadInput for a request that wants more than to load or unload what is published."""
    if len(content) > MAX_BODY_BYTES:
        raise BadInput(f"More than {MAX_BODY_BYTES} bytes; files and a config of a model cannot be sent, only its name")
    parameters = ControlRequest.parse(content or b"{}").parameters
    for parameter in parameters.keys() - {"unload_dependents"}:
        raise BadInput(f"parameters.{parameter[:100]}: what is published is loaded; nothing else can be sent")
