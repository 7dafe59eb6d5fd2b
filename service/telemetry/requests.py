"""What is recorded of every request: its id, the latency histogram and the optional access log."""

import itertools
import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from service.telemetry.metrics import REQUEST_SECONDS

logger = logging.getLogger("lagcast.access")

VALID_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


class RequestLog:
    """Request ids, latencies by route and status, and one log line per request if `access_log` is set."""

    def __init__(self, *, access_log: bool) -> None:
        self._access_log = access_log
        self._prefix = secrets.token_hex(8).encode()
        self._numbers = itertools.count()

    def id_of(self, given: bytes | None) -> bytes:
        """The id that a client has given, if it is valid; else a new one."""
        if given is not None and VALID_ID.fullmatch(given):
            return bytes(given)
        return b"%b-%x" % (self._prefix, next(self._numbers))

    def record(self, request: Mapping[str, Any], route: str, status: int, begun: float) -> None:
        """Record an answered request, with `method`, `raw_path` and `client` as in an ASGI scope.

        begun: when its head had arrived, of time.monotonic().
        """
        seconds = time.monotonic() - begun
        REQUEST_SECONDS.observe(route, status, seconds)
        if self._access_log:
            path = request["raw_path"].decode("latin-1")  # not decoded, which could give line breaks
            client = {"client": (request.get("client") or [None])[0]}
            logger.info("%s %s %d %.3f ms", request["method"], path, status, seconds * 1e3, extra=client)
