"""`create_app`: the routes, their limits and the lifecycle, put together from the settings."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from artifact import Artifact, read_key
from service.inference.engine import ENGINES, Engine
from service.inference.errors import InvalidRequest, ServiceError
from service.inference.lifecycle import Lifecycle
from service.inference.selftest import self_test
from service.middleware.api_keys import ApiKeys
from service.middleware.body_limit import BodyLimit
from service.middleware.concurrency import Concurrency
from service.middleware.deadline import Deadline
from service.middleware.fast_path import FastLane
from service.middleware.observe import Observe
from service.middleware.shutdown import Drain
from service.openapi import describe
from service.protocols.http_errors import ErrorAnswer, to_response
from service.protocols.native.routes import create_router
from service.protocols.open_inference import routes as open_inference
from service.protocols.tensorflow_serving import routes as tensorflow_serving
from service.settings import Settings
from service.telemetry.exposition import Exposition, build_of, create_metrics_router
from service.web.page import add_page

logger = logging.getLogger("lagcast")

VERSION = "0.1.0"
DESCRIPTION = """Two networks of one lagged series: an LSTM that sees a window of values, oldest first, and an MLP that
sees the last value alone. Numbers are float32; an answer names the version that gave it, and says whether an input lay
outside the range that the version was trained on."""


def create_app(settings: Settings, metrics_dir: Path | None = None) -> ASGIApp:
    """The application; models are loaded when its lifespan starts, which raises ArtifactError if that fails.

    metrics_dir is where workers see each other's metrics, if there are several.
    """
    lifecycle = create_lifecycle(settings, ENGINES[settings.engine])
    exposition = Exposition(lifecycle, build_of(VERSION, settings.engine), metrics_dir)
    api = create_api(settings, lifecycle, exposition)
    concurrency = Concurrency(api, settings.max_concurrency)
    app: ASGIApp = Deadline(concurrency, settings.deadline_seconds)
    app = BodyLimit(app, settings.max_body_bytes)
    app = FastLane(app, lifecycle, concurrency, settings.max_body_bytes)
    if settings.api_keys_file is not None:
        app = ApiKeys(app, settings.api_keys_file)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["Inference-Header-Content-Length", "Retry-After", "X-Request-ID"],
        )
    paths = [route.path for route in iter_route_contexts(api.routes) if route.path and "{" not in route.path]
    return Observe(Drain(app, settings.drain_seconds), paths, access_log=settings.access_log)


def create_lifecycle(settings: Settings, make_engine: Callable[[Artifact], Engine]) -> Lifecycle:
    """The models of the settings' repository, nothing loaded yet. Raises ArtifactError if there is no card key."""
    tested = partial(self_test, engine=settings.engine)
    key = read_key(settings.card_key_file)
    return Lifecycle(settings.models_dir, make_engine, tested, key, settings.required_models)


def create_api(settings: Settings, lifecycle: Lifecycle, exposition: Exposition) -> FastAPI:
    """The routes, the documents about them, and the answers to errors."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lifecycle.load()
        logger.info("ready")
        with lifecycle.watching(settings.reload_seconds):
            async with exposition.sharing():
                yield

    api: FastAPI = FastAPIOffline(
        title="lagcast",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.include_router(open_inference.create_infer_router(lifecycle, settings.max_batch_rows, settings.max_body_bytes))
    api.include_router(tensorflow_serving.create_predict_router(lifecycle, settings.max_batch_rows))
    api.include_router(create_router(lifecycle, settings.max_batch_rows))
    api.include_router(create_metrics_router(exposition))
    add_page(api)
    api.include_router(open_inference.create_router(lifecycle))
    api.include_router(tensorflow_serving.create_router(lifecycle))
    api.add_exception_handler(HTTPException, _answer_http)
    api.add_exception_handler(ServiceError, _answer_error)
    api.add_exception_handler(RequestValidationError, _answer_invalid)
    api.add_exception_handler(Exception, _answer_unexpected)
    api.openapi = partial(describe, api, lifecycle, settings.max_batch_rows)  # type: ignore[method-assign]  # FastAPI's documented way
    return api


async def _answer_error(_: Request, error: Exception) -> Response:
    return to_response(cast("ServiceError", error))


async def _answer_invalid(_: Request, error: Exception) -> Response:
    """FastAPI's own answer repeats the input."""
    problems = cast("RequestValidationError", error).errors()
    return to_response(InvalidRequest([{"type": p["type"], "loc": p["loc"], "msg": p["msg"]} for p in problems]))


async def _answer_unexpected(_: Request, __: Exception) -> Response:
    return ErrorAnswer("Internal Server Error", 500, {"Connection": "close"})  # uvicorn ends it, told or not


async def _answer_http(_: Request, error: Exception) -> Response:
    """No such path, or no such method on it."""
    refused = cast("HTTPException", error)
    return ErrorAnswer(refused.detail, refused.status_code, refused.headers)
