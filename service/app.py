"""`create_app`: routes, middleware and lifecycle, put together from the settings."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from artifact.version import VERSION
from service.connection.lane import Lane
from service.deciding import DecidesItself
from service.inference.admission import Keys
from service.inference.engine import ENGINES
from service.inference.errors import InvalidRequest, ServiceError
from service.inference.follow import Source
from service.inference.lifecycle import Lifecycle
from service.middleware.api_keys import ApiKeys
from service.middleware.body_limit import BodyLimit
from service.middleware.concurrency import Concurrency
from service.middleware.deadline import Deadline
from service.middleware.fair_turns import FairTurns
from service.middleware.head_requests import HeadRequests
from service.middleware.observe import Observe
from service.middleware.path_prefix import PathPrefix
from service.middleware.shutdown import GracefulShutdown
from service.openapi import Document
from service.protocols.http_errors import ErrorResponse, to_response
from service.protocols.native import routes as native
from service.protocols.native.accuracy import create_accuracy_router
from service.protocols.nixtla import routes as nixtla
from service.protocols.open_inference import routes as open_inference
from service.protocols.protocol import Limits, Protocol
from service.protocols.tensorflow_serving import routes as tensorflow_serving
from service.protocols.time_series import routes as time_series
from service.settings import Settings
from service.telemetry.exposition import Exposition, build_of, create_metrics_router
from service.telemetry.requests import RequestLog
from service.web.docs import add_docs
from service.web.page import add_page

logger = logging.getLogger("lagcast")

DESCRIPTION = """Forecasts of time series by small neural networks. Every model is asked by its name and takes a window
of values, oldest first, or a single value, as its card says. Numbers are float32. An answer names the version of the
model that gave it, and says whether an input lies outside the range that the version was trained on."""

PROTOCOLS = (
    native.create,
    open_inference.create,
    tensorflow_serving.create,
    time_series.create,
    nixtla.create,
)


def create_app(settings: Settings, metrics_dir: Path | None = None, source: Source | None = None) -> "Application":
    """The application; the models are loaded from `source` when its lifespan starts.

    metrics_dir is where several workers share their metrics. Without a source the process decides about versions
    itself, and its lifespan raises ArtifactError if nothing can be served.
    """
    source = source or DecidesItself(settings)
    lifecycle = Lifecycle(ENGINES[settings.engine], settings.required_models, settings.max_loaded)
    exposition = Exposition(lifecycle, build_of(VERSION, settings.engine), metrics_dir)
    limits = Limits(settings.max_batch_rows, settings.max_body_bytes, settings.model_control)
    protocols = [create(lifecycle, limits) for create in PROTOCOLS]
    api = create_api(protocols, lifecycle, source, exposition)
    log = RequestLog(access_log=settings.access_log)
    keys = None if settings.api_keys_file is None else Keys(settings.api_keys_file)
    lane = _create_lane(settings, lifecycle, protocols, log, keys)
    return Application(_add_middleware(api, settings, lane, log, keys), lane)


class Application:
    """The ASGI application. lane: with which a connection may answer some requests instead."""

    def __init__(self, app: ASGIApp, lane: Lane) -> None:
        self._app = app
        self.lane = lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _create_lane(
    settings: Settings, lifecycle: Lifecycle, protocols: Sequence[Protocol], log: RequestLog, keys: Keys | None
) -> Lane:
    unless = [b"origin"] if settings.cors_origins else []
    if settings.trusted_proxies and settings.access_log:  # which shows the client that the proxy names
        unless.append(b"x-forwarded-for")
    return Lane(
        lifecycle,
        [single for protocol in protocols for single in protocol.singles],
        log,
        max_bytes=settings.max_body_bytes,
        root_path=settings.root_path,
        keys=keys,
        unless=unless,
        lines=b"vary: Origin\r\n" if settings.cors_origins else b"",  # as CORSMiddleware does without an Origin
    )


def _add_middleware(api: FastAPI, settings: Settings, lane: Lane, log: RequestLog, keys: Keys | None) -> ASGIApp:
    outermost_first: list[Callable[[ASGIApp], ASGIApp]] = [
        # Before the next one, which replaces the address of the proxy: only a trusted proxy may name a prefix.
        *_path_prefix(settings),
        # Before everything that uses the client's address.
        *_proxies(settings),
        # Outside of all others, so that their responses too have an id and are counted and logged.
        partial(Observe, route_of=_route_finder(api), log=log),
        # Before everything that takes time; after Observe, which counts the requests that wait, and the proxies, whose
        # clients have turns of their own.
        FairTurns,
        # Before the limits: while the process stops, readiness must be refused whatever the limits say.
        partial(GracefulShutdown, seconds=settings.drain_seconds, on_stop=lane.close),
        # Before the keys: a browser's preflight request carries none, and a 401 needs CORS headers too.
        *_cors(settings),
        # Before the body is read: nothing is read for a client without a key.
        *([] if keys is None else [partial(ApiKeys, keys=keys)]),
        # Reads the whole body: a slow client neither takes a place among the concurrent requests nor uses up time.
        partial(BodyLimit, max_bytes=settings.max_body_bytes),
        # Outside of Concurrency: work that continues after its 504 still holds its place.
        partial(Deadline, seconds=settings.deadline_seconds),
        partial(Concurrency, max_requests=settings.max_concurrency),
        # Innermost: the limits above see the method that was sent.
        HeadRequests,
    ]
    app: ASGIApp = api
    for add in reversed(outermost_first):
        app = add(app)
    return app


def _proxies(settings: Settings) -> list[Callable[[ASGIApp], ASGIApp]]:
    trusted = settings.trusted_proxies
    return [partial(ProxyHeadersMiddleware, trusted_hosts=trusted)] if trusted else []  # type: ignore[list-item]  # uvicorn has ASGI types of its own


def _path_prefix(settings: Settings) -> list[Callable[[ASGIApp], ASGIApp]]:
    if not settings.root_path and not settings.trusted_proxies:
        return []
    return [partial(PathPrefix, root_path=settings.root_path, trusted=settings.trusted_proxies)]


def _cors(settings: Settings) -> list[Callable[[ASGIApp], ASGIApp]]:
    if not settings.cors_origins:
        return []
    layer = partial(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Inference-Header-Content-Length", "Retry-After", "X-Request-ID"],
    )
    return [layer]


def _route_finder(api: FastAPI) -> Callable[[str], str]:
    """The path template that a path matches, or "other": a short list for the metrics, whatever is requested."""
    patterns = {route.path: compile_path(route.path)[0] for route in iter_route_contexts(api.routes) if route.path}
    return lambda path: next((route for route, pattern in patterns.items() if pattern.match(path)), "other")


def create_api(protocols: Sequence[Protocol], lifecycle: Lifecycle, source: Source, exposition: Exposition) -> FastAPI:
    """The routes, their documents and the error handlers."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with source.feeding(lifecycle):
            logger.info("ready")
            async with exposition.sharing():
                yield

    # Without FastAPI's own route of the document, which writes it anew for every request, and its page, which does not
    # work below a path.
    api = FastAPI(
        title="lagcast",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
    )
    # Routes are matched in this order, so those that are asked most come first; of a protocol's other routes the last
    # can match every path below its prefix.
    for protocol in protocols:
        api.include_router(protocol.predict)
    api.include_router(create_metrics_router(exposition))
    api.include_router(create_accuracy_router(lifecycle, exposition.scores))
    add_page(api)
    add_docs(api)
    for protocol in protocols:
        api.include_router(protocol.other)
    _add_error_handlers(api)
    _add_document(api, Document(api, lifecycle, protocols))
    return api


def _add_document(api: FastAPI, document: Document) -> None:
    api.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way
    api.add_route("/openapi.json", document.respond, include_in_schema=False)


def _add_error_handlers(api: FastAPI) -> None:
    api.add_exception_handler(HTTPException, _answer_http)
    api.add_exception_handler(ServiceError, _answer_error)
    api.add_exception_handler(RequestValidationError, _answer_invalid)
    api.add_exception_handler(Exception, _answer_unexpected)


async def _answer_error(_: Request, error: Exception) -> Response:
    return to_response(cast("ServiceError", error))


async def _answer_invalid(_: Request, error: Exception) -> Response:
    """Without the input, which FastAPI's own answer repeats."""
    problems = cast("RequestValidationError", error).errors()
    return to_response(InvalidRequest([{"type": p["type"], "loc": p["loc"], "msg": p["msg"]} for p in problems]))


async def _answer_unexpected(_: Request, __: Exception) -> Response:
    return ErrorResponse("Internal Server Error", 500, {"Connection": "close"})  # uvicorn closes it anyway


async def _answer_http(_: Request, error: Exception) -> Response:
    """Unknown path, or a method that it does not have."""
    refused = cast("HTTPException", error)
    return ErrorResponse(refused.detail, refused.status_code, refused.headers)
