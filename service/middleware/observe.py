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

VALID_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
UNEXPECTED = 500
CLIENT_GONE = 499  # nginx's status for a client that disconnected before its answer
IN_FLIGHT = Gauge("lagcast_requests_in_flight", "Requests in progress, without scrapes of /metrics", registry=REGISTRY)
SCRAPE_PATH = "/metrics"  # not counted in the gauge, which would never be 0 when it is read


class Observe:
    """Adds X-Request-ID to every response, the client's if it is valid, and records the latency by route and status.

    route_of: the route of a path, for requests that are refused before they are routed.
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

        def observed(message: Message) -> Awaitable[None]:  # no coroutine of its own, which would double the cost
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id))
            return send(message)

        counted = scope["path"] != SCRAPE_PATH
        self._in_flight += counted
        try:
            await self._app(scope, receive, observed)
        except Exception:  # noqa: BLE001  # this middleware is the outermost: nothing else can answer
            errors.exception("unexpected error")
            if status == CLIENT_GONE:  # no response has started
                await ErrorResponse("Internal Server Error", UNEXPECTED)(scope, receive, observed)
            status = UNEXPECTED
        finally:
            self._in_flight -= counted
            seconds = time.perf_counter() - begin
            REQUEST_SECONDS.observe(self._route_of(scope), status, seconds)
            if self._access_log:
                path = scope["raw_path"].decode("latin-1")  # not decoded, which could give line breaks
                client = {"client": (scope.get("client") or [None])[0]}
                logger.info("%s %s %d %.3f ms", scope["method"], path, status, seconds * 1e3, extra=client)

    def _id_of(self, scope: Scope) -> bytes:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and VALID_ID.fullmatch(value):
                return bytes(value)
        return b"%b-%x" % (self._prefix, next(self._numbers))

    def _route_of(self, scope: Scope) -> str:
        routed: str | None = getattr(scope.get("route"), "path", None)
        return routed or self._route_of_path(scope["path"])
