"""Maximum concurrent requests with large bodies (429)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.inference.admission import Places
from service.inference.errors import Overloaded
from service.protocols.http_errors import to_response
from service.protocols.work import INLINE_BYTES

OF_UNKNOWN_SIZE = {b"content-encoding", b"transfer-encoding"}


class Concurrency:
    """Answers 429 to a large request while `max_requests` others are in progress.

    Small requests and GETs are never refused: they are answered in the event loop, one after the other.
    """

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self._app = app
        self._places = Places(max_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_large(scope):
            await self._app(scope, receive, send)
            return
        try:
            with self._places.take():
                await self._app(scope, receive, send)
        except Overloaded as error:
            await to_response(error)(scope, receive, send)


def _is_large(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    for name, value in scope["headers"]:
        if name in OF_UNKNOWN_SIZE or (name == b"content-length" and int(value) > INLINE_BYTES):
            return True
    return False
