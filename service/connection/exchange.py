"""One request and its response: converts between HTTP/1.1 and the application's ASGI messages."""

import asyncio
import logging
import sys
from typing import Protocol

from starlette.types import ASGIApp, Message, Scope

from service.connection.flow import ReadFlow
from service.connection.lane import Admitted, LaneRequest
from service.connection.memory import Reservation
from service.connection.writer import STATUS_LINES, AnswerWriter

logger = logging.getLogger("lagcast")

WITHOUT_BODY = {204, 304}


class Connection(Protocol):
    """Interface of the connection that an exchange uses."""

    writer: AnswerWriter
    flow: ReadFlow

    def end_answer(self) -> None:
        """Called when the response is written."""

    def close_unfinished(self) -> None:
        """Called when the application ended without completing the response."""


class Exchange:
    """ASGI `receive` and `send` of one request: passes the body to the application and writes its response."""

    __slots__ = (
        "_connection", "_event", "_is_chunked", "_is_handed_on", "_left", "_parts", "_start", "_waits_for_whole",
        "admitted", "expects_continue", "has_body", "held", "is_complete", "is_gone", "is_started", "keep_alive",
        "memory", "scope",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        memory: Reservation,
        *,
        keep_alive: bool,
        waits_for_whole: bool,
        admitted: Admitted | None = None,
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.admitted = admitted  # to the lane, which answers once the body has arrived; until then nothing runs
        self.held: LaneRequest | None = None  # by the lane, which waits for the model
        self.expects_continue = False
        self.has_body = False  # whether the whole body has arrived
        self.is_started = False
        self.is_complete = False
        self.is_gone = False  # the client has disconnected, or the connection has sent an error response itself
        self.memory = memory
        self._waits_for_whole = waits_for_whole  # a small body is passed on in one piece
        self._is_handed_on = False
        self._connection = connection
        self._parts: list[bytes] = []
        self._start: Message | None = None
        self._is_chunked = False
        self._left = 0  # bytes missing from the response's Content-Length
        self._event: asyncio.Event | None = None

    async def run(self, app: ASGIApp) -> None:
        """Run the application. The connection is closed if it leaves the response unfinished. Raises nothing."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            logger.exception("an error that no middleware has answered")
        finally:
            if not self.is_complete and not self.is_gone:
                self._connection.close_unfinished()

    def feed(self, part: bytes, *, is_last: bool) -> None:
        """Add a part of the body; it is dropped if the response is complete."""
        if part and not self.is_complete and not self.is_gone:
            self._parts.append(part)
        self.has_body = is_last
        if self._event is not None:
            self._event.set()

    def body(self) -> bytes:
        """The body, or what has arrived of it, that the application has not received."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def is_behind(self, size: int) -> bool:
        """Whether more than `size` bytes of the body wait for the application."""
        return sum(map(len, self._parts)) > size

    def leave(self) -> None:
        """Called when the client has disconnected or the connection has responded itself."""
        self.is_gone = True
        self._parts.clear()
        if self._event is not None:
            self._event.set()

    async def receive(self) -> Message:
        """ASGI `receive`: the part of the body that has arrived, or `http.disconnect`."""
        if self.expects_continue and not self.is_started and not self.is_gone:
            self.expects_continue = False
            self._connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self._can_receive():
            self._connection.flow.resume()
            self._event = self._event or asyncio.Event()
            self._event.clear()
            await self._event.wait()
        if self.is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        body = self.body()
        self._parts = []
        self._is_handed_on = self.has_body
        return {"type": "http.request", "body": body, "more_body": not self.has_body}

    def _can_receive(self) -> bool:
        if self.is_gone or self.is_complete:
            return True
        if self.has_body:
            return not self._is_handed_on
        return bool(self._parts) and not self._waits_for_whole

    async def send(self, message: Message) -> None:
        """ASGI `send`: write the response. Waits for a slow client only between the parts of a streamed response.

        Raises RuntimeError if the application violates ASGI: wrong order of messages, wrong Content-Length.
        """
        if self.is_gone:
            return
        if message["type"] == "http.response.start":
            if self.is_started:
                raise RuntimeError("the answer has begun already")
            self.is_started = True
            self._start = message
            return
        if self.is_complete or not self.is_started:
            raise RuntimeError("a part of an answer before its start, or after its end")
        more = message.get("more_body", False)
        self._connection.writer.write(self._frame(message.get("body", b""), is_last=not more))
        if more:
            await self._connection.writer.drain()
            return
        self.is_complete = True
        if self._event is not None:
            self._event.set()
        self._connection.end_answer()

    def _frame(self, body: bytes, *, is_last: bool) -> bytes:
        head = b""
        if self._start is not None:
            head = self._head(self._start, len(body) if is_last else None)
            self._start = None
        if self.scope["method"] == "HEAD":
            return head
        if self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return head + chunk + (b"0\r\n\r\n" if is_last else b"")
        self._left -= len(body)
        if self._left < 0 or (is_last and self._left > 0):
            raise RuntimeError("the answer is not as long as its Content-Length says")
        return head + body if head else body

    def _head(self, start: Message, length: int | None) -> bytes:
        status = start["status"]
        lines = [STATUS_LINES[status], self._connection.writer.default_headers()]
        has_length = False
        for name, value in start["headers"]:
            if name == b"content-length":
                self._left, has_length = int(value), True
            elif name == b"connection":
                self.keep_alive = self.keep_alive and b"close" not in value.lower()
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        if not has_length:
            lines.append(self._set_length(status, length))
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join(lines)
        if head.count(b"\n") != head.count(b"\r\n") or b"\r\n\r\n" in head:
            raise RuntimeError("a header holds a line end")
        return head + b"\r\n"

    def _set_length(self, status: int, length: int | None) -> bytes:
        """The framing header of a response without Content-Length: Content-Length, Transfer-Encoding or none."""
        if status in WITHOUT_BODY:
            return b""
        if length is not None:
            self._left = length
            return b"content-length: %d\r\n" % length
        if self.scope["http_version"] == "1.1":
            self._is_chunked = True
            return b"transfer-encoding: chunked\r\n"
        self._left = sys.maxsize  # HTTP/1.0: the body ends with the connection
        return b""
