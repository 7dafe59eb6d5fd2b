"""The routes of the Open Inference Protocol v2, which the clients of Triton, KServe and MLServer speak."""

import re
from collections.abc import Iterator
from enum import Enum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import Headers

from artifact import TensorSpec
from service.inference.errors import BadInput, UnsupportedMedia
from service.inference.lifecycle import Lifecycle, LiveModel
from service.protocols.open_inference.codec import infer
from service.protocols.open_inference.compression import deflate, inflate, negotiate
from service.protocols.open_inference.schemas import (
    IndexEntry,
    IndexRequest,
    InferResponse,
    MetadataTensor,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    failures,
)
from service.protocols.work import work_on

TAGS: list[str | Enum] = ["Open Inference Protocol v2"]
HEADER_LENGTH = "inference-header-content-length"
MAX_INDEX_BYTES = 1024
JSON, BYTES = "application/json", "application/octet-stream"
FAILURES = failures(401, 405, 408, 413, 429, 431, 500, 503, 504)
MODEL_FAILURES = FAILURES | failures(404)
INFER_FAILURES = MODEL_FAILURES | failures(400, 415)

TENSORS = """The one input comes as JSON, flat or nested, or with `binary_data_size` as little-endian bytes behind the
JSON, whose length is then told by Inference-Header-Content-Length; a length of 0 stands for the bytes of an FP32 tensor
alone. The last axis, of size 1, may be left out. `binary_data` of the output, or `binary_data_output` of the request,
asks for bytes. Bodies come and go compressed with gzip or deflate where Content-Encoding and Accept-Encoding say so.
NaN, Infinity and what is beyond float32 are refused."""
LENGTH_PARAMETER = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "bytes of the JSON, where a binary tensor follows it",
    "schema": {"type": "integer", "minimum": 0},
}

Version = Annotated[str, Path(description="one of the kept versions, instead of the live one")]


def create_infer_router(lifecycle: Lifecycle, max_batch_rows: int, max_body_bytes: int) -> APIRouter:
    """The route that is asked most, apart: routes are tried in their order."""
    router = APIRouter(prefix="/v2", tags=TAGS)
    _add_infer(router, lifecycle, max_batch_rows, max_body_bytes)
    return router


def create_router(lifecycle: Lifecycle) -> APIRouter:
    """The other routes below /v2, over the models of `lifecycle`."""
    router = APIRouter(prefix="/v2", tags=TAGS)
    _add_models(router, lifecycle)
    _add_server(router, lifecycle)
    return router


def _add_server(router: APIRouter, lifecycle: Lifecycle) -> None:
    @router.get("/", include_in_schema=False)
    @router.get("", summary="The server and its extensions", responses=FAILURES)
    async def server_metadata(request: Request) -> ServerMetadata:
        return ServerMetadata(name="lagcast", version=request.app.version, extensions=["binary_tensor_data"])

    @router.get("/health/live", summary="Whether the process is there", responses=failures(405))
    async def server_live() -> ServerLive:
        return ServerLive()

    @router.get("/health/ready", summary="Whether the process is ready", responses=failures(405, 503))
    async def server_ready() -> ServerReady:
        lifecycle.check_ready()
        return ServerReady()

    @router.post("/repository/index", summary="Every version of every model", responses=FAILURES | failures(400))
    async def repository_index(request: Request) -> list[IndexEntry]:
        entries = [entry for name in lifecycle.names() for entry in _index(lifecycle, name)]
        only_ready = _read_index_request(await request.body()).ready
        return [entry for entry in entries if entry.state == "READY" or not only_ready]


def _index(lifecycle: Lifecycle, name: str) -> Iterator[IndexEntry]:
    state = lifecycle.state(name)
    for version in sorted(state.kept.keys() | state.refused.keys(), reverse=True):
        if version in state.kept:
            yield IndexEntry(name=name, version=str(version), state="READY")
        else:
            yield IndexEntry(name=name, version=str(version), state="UNAVAILABLE", reason=state.refused[version])


def _read_index_request(content: bytes) -> IndexRequest:
    if len(content) > MAX_INDEX_BYTES:
        raise BadInput(f'More than {MAX_INDEX_BYTES} bytes; send {{"ready": true}}, or nothing')
    return IndexRequest.parse(content or b"{}")


def _add_models(router: APIRouter, lifecycle: Lifecycle) -> None:
    def metadata(name: str, version: str | None = None) -> ModelMetadata:
        model = _find(lifecycle, name, version)
        return ModelMetadata(
            name=name,
            versions=[str(kept) for kept in sorted(lifecycle.state(name).kept)],
            platform=model.engine.platform,
            inputs=[_describe(model.card.input)],
            outputs=[_describe(model.card.output)],
        )

    @router.get("/models/{name}", summary="What a model takes and gives", responses=MODEL_FAILURES)
    async def model_metadata(name: str) -> ModelMetadata:
        return metadata(name)

    @router.get("/models/{name}/versions/{version}", summary="What a version takes and gives", responses=MODEL_FAILURES)
    async def version_metadata(name: str, version: Version) -> ModelMetadata:
        return metadata(name, version)

    @router.get("/models/{name}/ready", summary="Whether a model answers", responses=MODEL_FAILURES)
    async def model_ready(name: str) -> ModelReady:
        return ModelReady(name=_find(lifecycle, name).card.name)

    @router.get(
        "/models/{name}/versions/{version}/ready", summary="Whether a version answers", responses=MODEL_FAILURES
    )
    async def version_ready(name: str, version: Version) -> ModelReady:
        return ModelReady(name=_find(lifecycle, name, version).card.name)


def _find(lifecycle: Lifecycle, name: str, version: str | None = None) -> LiveModel:
    if version is None:
        return lifecycle.live(name)
    # Zero is never a version: what is no number at all is as unknown.
    return lifecycle.live(name, int(version) if re.fullmatch("[0-9]{1,9}", version) else 0)


def _describe(spec: TensorSpec) -> MetadataTensor:
    return MetadataTensor(name=spec.name, datatype="FP32", shape=[-1, *filter(None, spec.shape[1:])])


def _add_infer(router: APIRouter, lifecycle: Lifecycle, max_batch_rows: int, max_body_bytes: int) -> None:
    async def answer(request: Request, name: str, version: str | None = None) -> Response:
        content = await request.body()
        model = _find(lifecycle, name, version)
        work = partial(_answer, model, request.headers, content, max_batch_rows, max_body_bytes)
        return await work_on(content, work, is_compressed="content-encoding" in request.headers)

    options: dict[str, Any] = {
        "response_model": InferResponse,
        "responses": INFER_FAILURES,
        "description": TENSORS,
        "openapi_extra": {"parameters": [LENGTH_PARAMETER]},
    }

    @router.post("/models/{name}/infer", summary="Predictions", **options)
    async def model_infer(request: Request, name: str) -> Response:
        return await answer(request, name)

    @router.post("/models/{name}/versions/{version}/infer", summary="Predictions of a version", **options)
    async def version_infer(request: Request, name: str, version: Version) -> Response:
        return await answer(request, name, version)


def _answer(model: LiveModel, headers: Headers, content: bytes, max_batch_rows: int, max_body_bytes: int) -> Response:
    media_type = headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type not in {JSON, BYTES}:
        raise UnsupportedMedia(f"Content-Type must be {JSON} or {BYTES}")
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        content = inflate(content, encoding, max_body_bytes)
    answer = infer(model, content, _header_length(headers), max_batch_rows)
    extra = {} if answer.header_length is None else {HEADER_LENGTH: str(answer.header_length)}
    wanted = negotiate(headers.get("accept-encoding", ""))
    if wanted is not None:
        extra |= {"content-encoding": wanted, "vary": "Accept-Encoding"}
        answer = answer._replace(content=deflate(answer.content, wanted))
    return Response(answer.content, headers=extra, media_type=JSON if answer.header_length is None else BYTES)


def _header_length(headers: Headers) -> int | None:
    value = headers.get(HEADER_LENGTH)
    if value is not None and not re.fullmatch("[0-9]{1,18}", value):
        raise BadInput("Inference-Header-Content-Length must be the number of the JSON's bytes")
    return None if value is None else int(value)
