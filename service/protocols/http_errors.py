"""HTTP errors: the table from domain errors to status, headers and JSON."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.inference.errors import (
    BadInput,
    BodyTooLarge,
    DeadlineExceeded,
    InvalidRequest,
    LevelOutOfReach,
    NotJSON,
    NotReady,
    Overloaded,
    PredictionOverflow,
    Problem,
    Refusal,
    ServiceError,
    Unauthorized,
    UnknownModel,
    UnknownVersion,
    UnsupportedMedia,
)
from service.protocols.paths import TIME_SERIES
from service.telemetry.metrics import count_refusal

RETRY_SECONDS = "1"  # a swap of versions or a burst of requests is usually over by then

STATUS: Mapping[type[ServiceError], int] = {
    NotJSON: 400,
    BadInput: 400,
    LevelOutOfReach: 400,
    PredictionOverflow: 400,
    Unauthorized: 401,
    UnknownModel: 404,
    UnknownVersion: 404,
    BodyTooLarge: 413,
    UnsupportedMedia: 415,
    InvalidRequest: 422,
    Overloaded: 429,
    NotReady: 503,
    DeadlineExceeded: 504,
}

HEADERS: Mapping[type[ServiceError], Mapping[str, str]] = {
    Unauthorized: {"WWW-Authenticate": "Bearer"},
    # The client is still sending the rest of the body: only closing the connection stops it.
    BodyTooLarge: {"Connection": "close"},
    Overloaded: {"Retry-After": RETRY_SECONDS},
    NotReady: {"Retry-After": RETRY_SECONDS},
}

PROTOCOL_PATH = re.compile("/v[12](/|$)")


def error_body(path: str, status: int, detail: str | Sequence[Problem]) -> dict[str, Any]:
    """JSON body of an error: an object under `error` below /v1/timeseries, else the text under `error_key`."""
    if path.startswith(TIME_SERIES + "/"):
        kind = HTTPStatus(status).phrase.title().replace(" ", "") + "Error"  # for example BadRequestError, as in KServe
        return {"error": {"code": str(status), "message": detail, "param": None, "type": kind}}
    return {error_key(path): detail}


def error_key(path: str) -> str:
    """JSON key of an error message: `error` below /v1 and /v2, as those protocols define it, else `detail`."""
    return "error" if PROTOCOL_PATH.match(path) else "detail"


class ErrorResponse(Response):
    """JSON error response; its form depends on the requested path, see `error_body`."""

    def __init__(self, detail: str | Sequence[Problem], status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(None, status, headers)
        self._answer = detail, status, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail, status, headers = self._answer
        content = orjson.dumps(error_body(scope["path"], status, detail))
        await Response(content, status, headers, "application/json")(scope, receive, send)


def to_response(error: ServiceError) -> ErrorResponse:
    """Convert a domain error to its response, by its nearest class in `STATUS`. Counts refusals in the metrics."""
    if isinstance(error, Refusal):
        count_refusal(error.limit)
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    return ErrorResponse(error.detail, STATUS[kind], HEADERS.get(kind))
