"""Request id, latency histogram and optional access log."""

import itertools
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.protocols.http_errors import ErrorResponse
from service.telemetry.logs import REQUEST_ID
from service.telemetry.metrics import REGISTRY, REQUEST_SECONDS

logger = logging.getLogger("lagcast.access")
errors = logging.getLogger("lagcast")

SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
UNFORESEEN = 500
CLIENT_GONE = 499  # nginx's number for: nobody was there to take the answer
IN_FLIGHT = Gauge("lagcast_requests_in_flight", "Requests that are being answered, scrapes aside", registry=REGISTRY)
SCRAPE_PATH = "/metrics"  # else the gauge would be 1 whenever it is read


class Observe:
    """Gives every request an id, X-Request-ID, its own if that is sane, and counts it by route and status.

    route_of: the route that a path belongs to, for requests that are refused before they are routed.
    """

    def __init__(self, app: ASGIApp, route_of: Callable[[str], str], *, access_log: bool) -> None:
        self._app = app
        self._route_of_path = route_of
        self._access_log = access_log
        self._in_flight = 0
        self._prefix = secrets.token_hex(8).encode()
        self._numbers = itertools.count()
        IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        request_id = self._id_of(scope)
        REQUEST_ID.set(request_id)
        status = CLIENT_GONE

        def observed(message: Message) -> Awaitable[None]:  # not a coroutine of its own: that would cost as much again
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id))
            return send(message)

        counted = scope["path"] != SCRAPE_PATH
        self._in_flight += counted
        try:
            await self._app(scope, receive, observed)
        except Exception:  # noqa: BLE001  # of no middleware and no route: nobody else is left to answer it
            errors.exception("an unforeseen error")
            if status == CLIENT_GONE:  # nothing is said yet
                await ErrorResponse("Internal Server Error", UNFORESEEN)(scope, receive, observed)
            status = UNFORESEEN
        finally:
            self._in_flight -= counted
            seconds = time.perf_counter() - begin
            REQUEST_SECONDS.observe(self._route_of(scope), status, seconds)
            if self._access_log:
                path = scope["raw_path"].decode("latin-1")  # as it came: decoded it could hold a line's end
                client = {"client": (scope.get("client") or [None])[0]}
                logger.info("%s %s %d %.3f ms", scope["method"], path, status, seconds * 1e3, extra=client)

    def _id_of(self, scope: Scope) -> bytes:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and SANE_ID.fullmatch(value):
                return bytes(value)
        return b"%b-%x" % (self._prefix, next(self._numbers))

    def _route_of(self, scope: Scope) -> str:
        routed: str | None = getattr(scope.get("route"), "path", None)
        return routed or self._route_of_path(scope["path"])
