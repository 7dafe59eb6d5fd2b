"""Maximum concurrent requests with large bodies (429)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.inference.errors import Overloaded
from service.protocols.http_errors import to_response
from service.protocols.work import INLINE_BYTES

OF_UNKNOWN_SIZE = {b"content-encoding", b"transfer-encoding"}


class Concurrency:
    """Refuses a large request while so many are at work. A place is free again when the work has ended.

    A small request is worked on at once, in the event loop, so that several of them never are at the same time: none
    of them is refused, whatever others send. Neither is a GET, which has no work to wait for.
    """

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self._app = app
        self._max_requests = max_requests
        self._at_work = 0

    @property
    def is_full(self) -> bool:
        return self._at_work >= self._max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_large(scope):
            await self._app(scope, receive, send)
        elif self.is_full:
            error = Overloaded(f"{self._max_requests} requests are at work; try again")
            await to_response(error)(scope, receive, send)
        else:
            self._at_work += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._at_work -= 1


def _is_large(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    for name, value in scope["headers"]:
        if name in OF_UNKNOWN_SIZE or (name == b"content-length" and int(value) > INLINE_BYTES):
            return True
    return False
