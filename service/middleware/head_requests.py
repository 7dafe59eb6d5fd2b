"""HEAD requests: answered as GET, without the body (RFC 9110, 9.3.2)."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadRequests:
    """Passes a HEAD request on as a GET; the connection then sends the headers only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        shown = {**scope, "method": "GET"}
        try:
            await self._app(shown, receive, send)
        finally:
            if "route" in shown:  # for the metrics
                scope["route"] = shown["route"]
