"""HTTP/1.1 on a connection: uvicorn's, with an end to requests that are endless or slow, and errors in JSON."""

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.protocols.http_errors import error_key
from service.telemetry.metrics import count_refusal

LIMITS = {408: "body_seconds", 431: "head_bytes"}

MAX_HEAD_BYTES = 64 * 2**10


class Protocol(HttpToolsProtocol):
    """Answers 431 to a head beyond MAX_HEAD_BYTES, and 408 to a request that stops arriving for `seconds`.

    A head has so many seconds in all; a body may take longer as long as more of it comes.
    """

    def __init__(self, *arguments: Any, seconds: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seconds = seconds
        self._in_head = False
        self._head_bytes = 0
        self._is_whole = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._is_whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        if self._timer is not None:
            self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_whole = True
        if self._timer is not None:
            self._stop_timer()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A request that came in one piece is whole by now, and costs nothing here.
        if self._is_whole or self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"The request's head is larger than {MAX_HEAD_BYTES} bytes")
        else:
            self._stop_timer()
        if self._timer is None:
            self._start_timer()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.cycle is not None and self._in_head and not self.cycle.response_complete:
            self._start_timer()  # the answer to the request before this one is not out yet
        elif self.scope is None or (self.cycle is not None and self.cycle.response_started and not self._in_head):
            self.transport.close()
        else:
            self._refuse(408, f"No more of the request arrived within {self._seconds:g} seconds")

    def _refuse(self, status: int, detail: str) -> None:
        if status in LIMITS:
            count_refusal(LIMITS[status])
        asked = (self.scope or {}).get("path", "")  # none until the head is whole
        content = orjson.dumps({error_key(asked): detail})
        headers: list[tuple[bytes, Any]] = [
            *self.server_state.default_headers,
            (b"content-length", b"%d" % len(content)),
            (b"content-type", b"application/json"),
            (b"connection", b"close"),
        ]
        lines = [b"%b: %b\r\n" % header for header in headers]
        status_line = b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
        self.transport.write(b"".join([status_line, *lines, b"\r\n", content]))
        self.transport.close()
