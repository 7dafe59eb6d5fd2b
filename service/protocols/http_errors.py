"""HTTP errors: the one table from domain error to status, headers and JSON."""

import re
from collections.abc import Mapping, Sequence

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.inference.errors import (
    BadInput,
    BodyTooLarge,
    DeadlineExceeded,
    InvalidRequest,
    NotJSON,
    NotReady,
    Overloaded,
    PredictionOverflow,
    Problem,
    ServiceError,
    Unauthorized,
    UnknownModel,
    UnknownVersion,
    UnsupportedMedia,
)

RETRY_SECONDS = "1"

STATUS: Mapping[type[ServiceError], int] = {
    NotJSON: 400,
    BadInput: 400,
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

DESCRIPTIONS: Mapping[int, str] = {
    400: "The body is not JSON",
    401: "An API key is needed, and it is missing or wrong",
    404: "There is no such model, or this version of it is not kept",
    405: "The path exists, the method does not",
    408: "The rest of the request did not arrive in time",
    413: "The body is larger than this process takes",
    415: "The body's content type or encoding is not taken",
    422: "The body is JSON, but not what this route takes",
    431: "The request's head is larger than this process takes",
    429: "As many requests as allowed are at work; Retry-After says when to come again",
    500: "What nobody foresaw; the process's log says more",
    503: "A model is not live; Retry-After says when to come again",
    504: "The work took too long",
}

HEADERS: Mapping[type[ServiceError], Mapping[str, str]] = {
    Unauthorized: {"WWW-Authenticate": "Bearer"},
    # The rest of the body is still on its way: only the end of the connection stops it.
    BodyTooLarge: {"Connection": "close"},
    Overloaded: {"Retry-After": RETRY_SECONDS},
    NotReady: {"Retry-After": RETRY_SECONDS},
}


PROTOCOL_PATH = re.compile("/v[12](/|$)")


def error_key(path: str) -> str:
    """The key of an error's text: `error` on the paths of the inference protocols, which have it so, else `detail`."""
    return "error" if PROTOCOL_PATH.match(path) else "detail"


class ErrorAnswer(Response):
    """An error in JSON, under the key that the path which was asked has for it."""

    def __init__(self, detail: str | Sequence[Problem], status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(None, status, headers)
        self._answer = detail, status, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail, status, headers = self._answer
        content = orjson.dumps({error_key(scope["path"]): detail})
        await Response(content, status, headers, "application/json")(scope, receive, send)


def to_response(error: ServiceError) -> ErrorAnswer:
    """The answer to the client: the error's text, status and headers."""
    kind = type(error)
    return ErrorAnswer(error.detail, STATUS[kind], HEADERS.get(kind))
