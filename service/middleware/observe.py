"""Request id, latency histogram and optional access log."""

import logging
import time
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.protocols.http_errors import ErrorResponse
from service.telemetry.logs import REQUEST_ID
from service.telemetry.metrics import REGISTRY
from service.telemetry.requests import VALID_ID, RequestLog

errors = logging.getLogger("lagcast")

UNEXPECTED = 500
CLIENT_GONE = 499  # nginx's status for a client that disconnected before its answer
IN_FLIGHT = Gauge("lagcast_requests_in_flight", "Requests in progress, without scrapes of /metrics", registry=REGISTRY)
SCRAPE_PATH = "/metrics"  # not counted in the gauge, which would never be 0 when it is read
BEGUN = "lagcast.begun"  # key of the scope: when the request's head had arrived, of time.monotonic()


class Observe:
    """Adds X-Request-ID to every response, the client's if it is valid, and records the latency by route and status.

    route_of: the route of a path, for requests that are refused before they are routed.
    """

    def __init__(self, app: ASGIApp, route_of: Callable[[str], str], log: RequestLog) -> None:
        self._app = app
        self._route_of_path = route_of
        self._log = log
        self._in_flight = 0
        IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = scope.get(BEGUN) or time.monotonic()
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
            self._log.record(scope, self._route_of(scope), status, begun)

    def _id_of(self, scope: Scope) -> bytes:
        given = (value for name, value in scope["headers"] if name == b"x-request-id" and VALID_ID.fullmatch(value))
        return self._log.id_of(next(given, None))

    def _route_of(self, scope: Scope) -> str:
        routed: str | None = getattr(scope.get("route"), "path", None)
        return routed or self._route_of_path(scope["path"])
