"""Maximum concurrent requests (429)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.inference.errors import Overloaded
from service.middleware.unlimited import is_unlimited
from service.protocols.http_errors import to_response


class Concurrency:
    """Turns away what comes while so many requests are at work; a place is free again when its work has ended."""

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self._app = app
        self._max_requests = max_requests
        self._at_work = 0

    @property
    def is_full(self) -> bool:
        return self._at_work >= self._max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_unlimited(scope):
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
