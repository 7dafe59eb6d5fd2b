"""Routes of TensorFlow Serving's REST API, with the fields of KServe's v1 protocol, below /v1."""

import re
from enum import Enum
from functools import partial
from typing import Any, NoReturn

from fastapi import APIRouter, Request, Response

from artifact import TensorSpec
from service.inference.errors import BadInput, UnknownModel, UnknownVersion, UnsupportedMedia
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.protocols.error_schemas import ANY_ROUTE
from service.protocols.error_schemas import protocol_failures as failures
from service.protocols.lookup import Version, find
from service.protocols.protocol import Limits, Protocol, Single
from service.protocols.tensorflow_serving.codec import predict_rows, predicting
from service.protocols.tensorflow_serving.document import PATHS, document
from service.protocols.tensorflow_serving.schemas import ModelNames, ModelStatus, PredictResponse, VersionStatus
from service.protocols.work import work_on

TAGS: list[str | Enum] = ["TensorFlow Serving"]
SHOWN = 100  # characters of a path or a name that an error repeats
FAILURES = failures(*ANY_ROUTE)
MODEL_FAILURES = FAILURES | failures(400, 404)

ROWS = """`instances` has one row per item: a window or a value, with or without its last axis, or an object that holds
it under the input's name. `inputs` has all rows in one tensor, or an object that holds it. The Content-Type is ignored.
Unlike TensorFlow Serving, this service refuses NaN, Infinity and numbers beyond float32, and its errors do not repeat
the input."""


def create(lifecycle: Lifecycle, limits: Limits) -> Protocol:
    """Create TensorFlow Serving's protocol for the models of `lifecycle`."""
    predict, other = APIRouter(tags=TAGS), APIRouter(tags=TAGS)
    _add_predict(predict, lifecycle, limits.max_batch_rows)
    _add_metadata(other, lifecycle)
    _add_status(other, lifecycle)
    _add_rest(other)
    prefix, suffix = PATHS[0].split("{name}")
    answering = partial(predicting, max_rows=limits.max_batch_rows)
    single = Single(prefix, suffix, answering, unless=frozenset({b"content-encoding"}))
    return Protocol(predict, other, document, [single])


def _add_rest(router: APIRouter) -> None:
    """Add the last route: any other path below /v1 gets TensorFlow Serving's error message."""

    @router.api_route("/v1/{rest:path}", methods=["GET", "POST"], include_in_schema=False)
    async def malformed(request: Request) -> None:
        _refuse(request)


def _refuse(request: Request) -> NoReturn:
    raise BadInput(f"Malformed request: {request.method} {request.url.path[:SHOWN]}")


def _add_predict(router: APIRouter, lifecycle: Lifecycle, max_batch_rows: int) -> None:
    async def answer(request: Request, name: str, version: str | None = None) -> Response:
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise UnsupportedMedia("Content-Encoding is not supported here; send the JSON uncompressed")
        content = await request.body()
        model = await _find(lifecycle, request, name, version)
        work = partial(predict_rows, model, content, max_batch_rows)
        return Response(await work_on(content, work), media_type="application/json")

    responses = MODEL_FAILURES | failures(415)
    options: dict[str, Any] = {"response_model": PredictResponse, "responses": responses, "description": ROWS}

    @router.post(PATHS[0], summary="Predictions", **options)
    async def predict(request: Request, name: str) -> Response:
        return await answer(request, name)

    @router.post(PATHS[1], summary="Predictions of a version", **options)
    async def predict_version(request: Request, name: str, version: Version) -> Response:
        return await answer(request, name, version)


def _number(request: Request, version: str) -> int:
    if not re.fullmatch("[0-9]+", version):
        _refuse(request)
    if len(version) > 18:  # noqa: PLR2004 - every number of 18 digits fits in an int64
        raise BadInput(f"Failed to convert version: {version[:SHOWN]} to numeric.")
    return int(version)


async def _find(lifecycle: Lifecycle, request: Request, name: str, version: str | None) -> LiveModel:
    number = None if version is None else _number(request, version)
    asked = f"Latest({name[:SHOWN]})" if number is None else f"Specific({name[:SHOWN]}, {number})"
    try:
        return await find(lifecycle, name, version)
    except (UnknownModel, UnknownVersion) as error:
        raise type(error)(f"Servable not found for request: {asked}") from None


def _add_metadata(router: APIRouter, lifecycle: Lifecycle) -> None:
    @router.get("/v1/models/{name}/metadata", summary="A model's signature", responses=MODEL_FAILURES)
    async def metadata(request: Request, name: str) -> dict[str, Any]:
        return _metadata(await _find(lifecycle, request, name, None))

    @router.get(
        "/v1/models/{name}/versions/{version}/metadata", summary="A version's signature", responses=MODEL_FAILURES
    )
    async def version_metadata(request: Request, name: str, version: Version) -> dict[str, Any]:
        return _metadata(await _find(lifecycle, request, name, version))


def _metadata(model: LiveModel) -> dict[str, Any]:
    """Metadata of a model as TensorFlow Serving writes it: 64-bit numbers are strings, empty fields are included."""
    card = model.card
    signature = {
        "inputs": {card.input.name: _tensor_info(card.input, f"serving_default_{card.input.name}:0")},
        "outputs": {card.output.name: _tensor_info(card.output, "StatefulPartitionedCall:0")},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": card.name, "signature_name": "", "version": str(card.version)},
        "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
    }


def _tensor_info(spec: TensorSpec, name: str) -> dict[str, Any]:
    axes = [{"size": str(size or -1), "name": ""} for size in spec.shape]
    return {"dtype": "DT_FLOAT", "tensor_shape": {"dim": axes, "unknown_rank": False}, "name": name}


def _add_status(router: APIRouter, lifecycle: Lifecycle) -> None:
    @router.get("/v1/models", summary="The names of all models", responses=FAILURES)
    async def names() -> ModelNames:
        return ModelNames(models=lifecycle.names())

    @router.get("/v1/models/{name}", summary="A model's versions", responses=MODEL_FAILURES)
    async def status(request: Request, name: str) -> ModelStatus:
        if ":" in name:  # an unknown verb, or one that needs POST
            _refuse(request)
        statuses = await _statuses(lifecycle, name)
        return _model_status(name, [statuses[v] for v in sorted(statuses, reverse=True)])

    @router.get("/v1/models/{name}/versions/{version}", summary="A version", responses=MODEL_FAILURES)
    async def version_status(request: Request, name: str, version: Version) -> ModelStatus:
        number, statuses = _number(request, version), await _statuses(lifecycle, name)
        if number not in statuses:
            raise UnknownVersion(f"Could not find version {number} of model {name}")
        return _model_status(name, [statuses[number]])


def _model_status(name: str, found: list[VersionStatus]) -> ModelStatus:
    is_ready = any(version.state == "AVAILABLE" for version in found)
    return ModelStatus(model_version_status=found, name=name, ready=is_ready)


async def _statuses(lifecycle: Lifecycle, name: str) -> dict[int, VersionStatus]:
    try:
        state = (await lifecycle.decided_state(name)).decision
    except UnknownModel:
        raise UnknownModel(f"Could not find any versions of model {name[:SHOWN]}") from None
    good, bad = ("END" if state.wish == "unload" else "AVAILABLE", "OK"), ("END", "FAILED_PRECONDITION")
    return {v: _status(v, *bad, why) for v, why in state.refused.items()} | {v: _status(v, *good) for v in state.kept}


def _status(version: int, state: Any, code: str, message: str = "") -> VersionStatus:
    status: Any = {"error_code": code, "error_message": message}
    return VersionStatus(version=str(version), state=state, status=status)
