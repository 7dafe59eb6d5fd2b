"""`create_app`: the routes, their limits and the lifecycle, put together from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.api import create_router
from service.engine import ENGINES
from service.errors import ServiceError, to_response
from service.lifecycle import Lifecycle
from service.limits import ApiKeys, BodyLimit, Concurrency, Deadline
from service.openapi import describe
from service.settings import Settings

VERSION = "0.1.0"
DESCRIPTION = """Two networks of one lagged series: an LSTM that sees a window of values, oldest first, and an MLP that
sees the last value alone. Numbers are float32; an answer names the version that gave it, and says whether an input lay
outside the range that the version was trained on."""


def create_app(settings: Settings) -> FastAPI:
    """The application; models are loaded when its lifespan starts, which raises ArtifactError if that fails."""
    lifecycle = Lifecycle(settings.models_dir, ENGINES[settings.engine])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lifecycle.load()
        yield

    app: FastAPI = FastAPIOffline(
        title="lagcast",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(create_router(lifecycle, settings.max_batch_rows))
    app.add_exception_handler(ServiceError, _answer_error)
    app.add_exception_handler(Exception, _answer_unexpected)
    app.openapi = partial(describe, app, lifecycle, settings.max_batch_rows)  # type: ignore[method-assign]
    _add_limits(app, settings)
    return app


def _add_limits(app: FastAPI, settings: Settings) -> None:
    """Innermost first: a request meets them from the last to the first."""
    app.add_middleware(Concurrency, max_requests=settings.max_concurrency)
    app.add_middleware(Deadline, seconds=settings.deadline_seconds)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, seconds=settings.body_seconds)
    if settings.api_keys_file is not None:
        app.add_middleware(ApiKeys, file=settings.api_keys_file)


async def _answer_error(_: Request, error: Exception) -> Response:
    return to_response(cast("ServiceError", error))


async def _answer_unexpected(_: Request, __: Exception) -> Response:
    return JSONResponse({"detail": "Internal Server Error"}, 500)
