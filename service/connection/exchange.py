"""One request and its answer: the ASGI messages of an application as HTTP/1.1."""

import asyncio
import logging
import sys
from typing import Protocol

from starlette.types import ASGIApp, Message, Scope

from service.connection.memory import Reservation
from service.connection.writer import STATUS_LINES, AnswerWriter

logger = logging.getLogger("lagcast")

WITHOUT_BODY = {204, 304}


class Connection(Protocol):
    """What an exchange needs of its connection."""

    writer: AnswerWriter

    def resume_reading(self) -> None:
        """Receive on, after a pause."""

    def end_answer(self) -> None:
        """The answer is written."""

    def close_unfinished(self) -> None:
        """The answer will never be written to its end."""


class Exchange:
    """Hands a request's body to the application, and its answer to the connection."""

    __slots__ = (
        "_connection", "_event", "_is_chunked", "_is_handed_on", "_left", "_parts", "_start", "_waits_for_whole",
        "expects_continue", "has_body", "is_complete", "is_gone", "is_started", "keep_alive", "memory", "scope",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        memory: Reservation,
        *,
        keep_alive: bool,
        waits_for_whole: bool,
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.expects_continue = False
        self.has_body = False  # whether the whole body has come
        self.is_started = False
        self.is_complete = False
        self.is_gone = False  # the client has, or the connection has answered in the application's stead
        self.memory = memory
        self._waits_for_whole = waits_for_whole  # a small body is handed on in one piece
        self._is_handed_on = False
        self._connection = connection
        self._parts: list[bytes] = []
        self._start: Message | None = None
        self._is_chunked = False
        self._left = 0  # bytes that the answer's Content-Length still announces
        self._event: asyncio.Event | None = None

    async def run(self, app: ASGIApp) -> None:
        """Let the application answer. An answer that it leaves unfinished ends the connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            logger.exception("an error that no middleware has answered")
        finally:
            if not self.is_complete and not self.is_gone:
                self._connection.close_unfinished()

    def feed(self, part: bytes, *, is_last: bool) -> None:
        """Take in more of the body; after the answer, drop it."""
        if part and not self.is_complete and not self.is_gone:
            self._parts.append(part)
        self.has_body = is_last
        if self._event is not None:
            self._event.set()

    def is_behind(self, size: int) -> bool:
        """Whether the application has yet to take more than `size` bytes of the body."""
        return sum(map(len, self._parts)) > size

    def leave(self) -> None:
        """The client has gone, or needs no answer of the application any more."""
        self.is_gone = True
        self._parts.clear()
        if self._event is not None:
            self._event.set()

    async def receive(self) -> Message:
        """ASGI: the body as far as it has come, or that the client has gone."""
        if self.expects_continue and not self.is_started and not self.is_gone:
            self.expects_continue = False
            self._connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self._can_receive():
            self._connection.resume_reading()
            self._event = self._event or asyncio.Event()
            self._event.clear()
            await self._event.wait()
        if self.is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        parts, self._parts = self._parts, []
        self._is_handed_on = self.has_body
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return {"type": "http.request", "body": body, "more_body": not self.has_body}

    def _can_receive(self) -> bool:
        if self.is_gone or self.is_complete:
            return True
        if self.has_body:
            return not self._is_handed_on
        return bool(self._parts) and not self._waits_for_whole

    async def send(self, message: Message) -> None:
        """ASGI: write the answer; waits for a client that reads slowly only between two parts of a long one."""
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
        """The header that says where an answer ends which does not say it itself."""
        if status in WITHOUT_BODY:
            return b""
        if length is not None:
            self._left = length
            return b"content-length: %d\r\n" % length
        if self.scope["http_version"] == "1.1":
            self._is_chunked = True
            return b"transfer-encoding: chunked\r\n"
        self._left = sys.maxsize  # to the end of the connection
        return b""
