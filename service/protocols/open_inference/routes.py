"""Routes of the Open Inference Protocol v2, below /v2, for the clients of Triton, KServe and MLServer."""

import re
from enum import Enum
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers

from artifact import TensorSpec
from service.inference.errors import BadInput, UnsupportedMedia
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.protocols.error_schemas import ANY_ROUTE
from service.protocols.error_schemas import protocol_failures as failures
from service.protocols.lookup import Version, check_ready, find
from service.protocols.open_inference.codec import infer, inferring_json
from service.protocols.open_inference.compression import deflate, inflate, negotiate
from service.protocols.open_inference.document import PATHS, document
from service.protocols.open_inference.repository import add_control, add_index
from service.protocols.open_inference.schemas import (
    InferResponse,
    MetadataTensor,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from service.protocols.paths import V2_LIVE, V2_READY
from service.protocols.protocol import Limits, Protocol, Single
from service.protocols.work import work_on

TAGS: list[str | Enum] = ["Open Inference Protocol v2"]
HEADER_LENGTH = "inference-header-content-length"
JSON, BYTES = "application/json", "application/octet-stream"
FAILURES = failures(*ANY_ROUTE)
MODEL_FAILURES = FAILURES | failures(404)

TENSORS = """The one input comes as JSON, flat or nested, or with `binary_data_size` as little-endian bytes after the
JSON, whose length is then in the header Inference-Header-Content-Length; a length of 0 means that the body is the bytes
of an FP32 tensor alone. The last axis, of size 1, may be left out. `binary_data` of the output, or `binary_data_output`
of the request, asks for bytes. Bodies can be compressed with gzip or deflate, as Content-Encoding and Accept-Encoding
say. NaN, Infinity and numbers beyond float32 are refused."""
LENGTH_PARAMETER = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "bytes of the JSON, if a binary tensor follows it",
    "schema": {"type": "integer", "minimum": 0},
}


def create(lifecycle: Lifecycle, limits: Limits) -> Protocol:
    """Create the Open Inference Protocol for the models of `lifecycle`."""
    predict, other = APIRouter(tags=TAGS), APIRouter(tags=TAGS)
    _add_infer(predict, lifecycle, limits)
    _add_models(other, lifecycle)
    _add_server(other, lifecycle, limits)
    add_index(other, lifecycle)
    if limits.model_control:
        add_control(other, lifecycle)
    return Protocol(predict, other, document, [_single(limits)])


def _single(limits: Limits) -> Single:
    """The requests for the fast lane: JSON in, uncompressed JSON out."""
    prefix, suffix = PATHS[0].split("{name}")
    answering = partial(inferring_json, max_rows=limits.max_batch_rows)
    unless = {"content-encoding", "accept-encoding", HEADER_LENGTH}
    return Single(prefix, suffix, answering, frozenset(name.encode() for name in unless))


def _add_server(router: APIRouter, lifecycle: Lifecycle, limits: Limits) -> None:
    extensions = ["binary_tensor_data", *(["model_repository"] if limits.model_control else [])]

    @router.get("/v2/", include_in_schema=False)
    @router.get("/v2", summary="The server and its extensions", responses=FAILURES)
    async def server_metadata(request: Request) -> ServerMetadata:
        return ServerMetadata(name="lagcast", version=request.app.version, extensions=extensions)

    @router.get(V2_LIVE, summary="Liveness: the process is running", responses=failures(405))
    async def server_live() -> ServerLive:
        return ServerLive()

    @router.get(V2_READY, summary="Readiness: the process can answer", responses=failures(405, 503))
    async def server_ready() -> ServerReady:
        lifecycle.check_ready()
        return ServerReady()


def _add_models(router: APIRouter, lifecycle: Lifecycle) -> None:
    async def metadata(name: str, version: str | None = None) -> ModelMetadata:
        model = await find(lifecycle, name, version)
        return ModelMetadata(
            name=name,
            versions=[str(kept) for kept in sorted(lifecycle.state(name).decision.kept)],
            platform=model.engine.platform,
            inputs=[_describe(model.card.input)],
            outputs=[_describe(model.card.output)],
        )

    @router.get("/v2/models/{name}", summary="A model's inputs and outputs", responses=MODEL_FAILURES)
    async def model_metadata(name: str) -> ModelMetadata:
        return await metadata(name)

    @router.get(
        "/v2/models/{name}/versions/{version}", summary="A version's inputs and outputs", responses=MODEL_FAILURES
    )
    async def version_metadata(name: str, version: Version) -> ModelMetadata:
        return await metadata(name, version)

    @router.get("/v2/models/{name}/ready", summary="Readiness of a model", responses=MODEL_FAILURES)
    async def model_ready(name: str) -> ModelReady:
        await check_ready(lifecycle, name)
        return ModelReady(name=name)

    @router.get(
        "/v2/models/{name}/versions/{version}/ready", summary="Readiness of a version", responses=MODEL_FAILURES
    )
    async def version_ready(name: str, version: Version) -> ModelReady:
        await check_ready(lifecycle, name, version)
        return ModelReady(name=name)


def _describe(spec: TensorSpec) -> MetadataTensor:
    return MetadataTensor(name=spec.name, datatype="FP32", shape=[-1, *spec.row_shape])


def _add_infer(router: APIRouter, lifecycle: Lifecycle, limits: Limits) -> None:
    async def answer(request: Request, name: str, version: str | None = None) -> Response:
        content = await request.body()
        model = await find(lifecycle, name, version)
        work = partial(_answer, model, request.headers, content, limits)
        compressed = "content-encoding" in request.headers
        length = request.headers.get(HEADER_LENGTH, "")  # of the JSON; only this part is parsed
        parsed = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        return await work_on(content, work, is_compressed=compressed, parsed_bytes=parsed)

    options: dict[str, Any] = {
        "response_model": InferResponse,
        "responses": MODEL_FAILURES | failures(400, 415),
        "description": TENSORS,
        "openapi_extra": {"parameters": [LENGTH_PARAMETER]},
    }

    @router.post(PATHS[0], summary="Predictions", **options)
    async def model_infer(request: Request, name: str) -> Response:
        return await answer(request, name)

    @router.post(PATHS[1], summary="Predictions of a version", **options)
    async def version_infer(request: Request, name: str, version: Version) -> Response:
        return await answer(request, name, version)


def _answer(model: LiveModel, headers: Headers, content: bytes, limits: Limits) -> Response:
    media_type = headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type not in {JSON, BYTES}:
        raise UnsupportedMedia(f"Content-Type must be {JSON} or {BYTES}")
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        content = inflate(content, encoding, limits.max_body_bytes)
    answer = infer(model, content, _header_length(headers), limits.max_batch_rows)
    extra = {} if answer.header_length is None else {HEADER_LENGTH: str(answer.header_length)}
    wanted = negotiate(headers.get("accept-encoding", ""))
    if wanted is not None:
        extra |= {"content-encoding": wanted, "vary": "Accept-Encoding"}
        answer = answer._replace(content=deflate(answer.content, wanted))
    return Response(answer.content, headers=extra, media_type=JSON if answer.header_length is None else BYTES)


def _header_length(headers: Headers) -> int | None:
    value = headers.get(HEADER_LENGTH)
    if value is not None and not re.fullmatch("[0-9]{1,18}", value):
        raise BadInput("Inference-Header-Content-Length must be the length of the JSON in bytes")
    return None if value is None else int(value)
