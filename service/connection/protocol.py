"""HTTP/1.1 server protocol of one connection: requests one after another, with time and memory limits."""

import asyncio
import time
from typing import Any

from uvicorn import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from service.connection.exchange import Exchange
from service.connection.head import Head
from service.connection.limits import (
    BACKLOG_BYTES,
    INFLATION,
    LEAST_RATE,
    LINGER_BYTES,
    LINGER_SECONDS,
    SMALL_BODY_BYTES,
    Refused,
)
from service.connection.memory import ConnectionPool
from service.connection.reader import RequestReader
from service.connection.writer import AnswerWriter
from service.telemetry.metrics import count_refusal

NEVER = float("inf")  # no deadline
ASGI = {"version": "3.0", "spec_version": "2.3"}


class HTTPConnection(asyncio.Protocol):
    """asyncio protocol that uvicorn creates for each connection, instead of its own HttpToolsProtocol.

    A pipelined request is parsed only after the previous response is written, so that all responses are in order.
    Until then up to BACKLOG_BYTES of it are buffered here, and the rest in the kernel.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        pool: ConnectionPool,
    ) -> None:
        self._app: Any = config.loaded_app
        self._root_path = config.root_path
        self._server_state = server_state
        self._app_state = app_state
        self._pool = pool
        self._limits = pool.limits
        self._reader = RequestReader()
        self._exchange: Exchange | None = None
        self._begun = 0.0  # monotonic time when the current head or body began
        self._deadline = NEVER  # until when the client must send more
        self._is_paused = False
        self._is_ending = False
        self._is_lingering = False
        self._linger_left = LINGER_BYTES  # bytes to read and drop while the connection closes
        self.waiting_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP has one
        self.writer = AnswerWriter(self._transport, self._server_state, self._limits.answer_seconds)
        self._addresses = {
            "server": get_local_addr(self._transport),
            "client": get_remote_addr(self._transport),
            "scheme": "http",
            "root_path": self._root_path,
            "asgi": ASGI,
        }
        self._server_state.connections.add(self)  # type: ignore[arg-type]  # it only calls shutdown()
        self._wait(self._limits.request_seconds)
        self._pool.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # as asyncio calls it
        self._server_state.connections.discard(self)
        self._pool.discard(self)
        self._is_ending = True
        if self._exchange is not None:
            self._exchange.leave()
            self._exchange.memory.end(self.writer.unsent())
            self._exchange = None
        self.writer.resume()
        self._reader.clear()

    def eof_received(self) -> bool:
        """The client has half-closed the connection; a complete request still gets its response."""
        exchange = self._exchange
        if exchange is None or not exchange.has_body or self._is_lingering:
            return False
        exchange.keep_alive = False
        return True

    def shutdown(self) -> None:
        """Called by uvicorn at shutdown: finish the current request, then close."""
        if self._exchange is None:
            self._transport.close()
        else:
            self._exchange.keep_alive = False

    # Reading

    def data_received(self, data: bytes) -> None:
        if self._is_ending:
            self._linger_left -= len(data)
            if self._linger_left < 0:
                self._transport.abort()
        else:
            self._reader.add(data)
            self._go_on()

    def _go_on(self) -> None:
        """Parse the received data, up to the next request that has to wait for a response."""
        reader = self._reader
        try:
            while reader.waiting and not self._is_ending:
                if reader.is_in_body:
                    self._take_body()
                elif self._exchange is None and not self.writer.is_behind:
                    self._take_head()
                else:
                    if reader.waiting > BACKLOG_BYTES:
                        self._pause_reading()
                    return
        except Refused as refused:
            self._refuse(refused)

    def _take_head(self) -> None:
        if not self._reader.is_in_head:
            self._reader.skip_blank_lines()
            if not self._reader.waiting:
                return
            self._wait(self._limits.request_seconds)
        head = self._reader.take_head()
        if head is not None:
            self._start(head)

    def _start(self, head: Head) -> None:
        is_small = head.length <= SMALL_BODY_BYTES and not head.is_chunked
        scope = head.scope()
        scope.update(self._addresses)
        scope["path"] = self._root_path + scope["path"] if self._root_path else scope["path"]
        scope["state"] = self._app_state.copy()
        exchange = Exchange(self, scope, self._pool.reservation(), keep_alive=head.keep_alive, waits_for_whole=is_small)
        exchange.expects_continue = head.expects_continue
        self._exchange = exchange
        if self._reader.is_in_body:
            self._wait(self._limits.request_seconds)
        else:
            exchange.has_body = True
            self._wait_for_answer()
        if head.length <= self._limits.max_body_bytes and (head.is_compressed or not is_small):
            exchange.memory.grow(head.length * (INFLATION if head.is_compressed else 1))
        self._server_state.tasks.add(task := asyncio.get_running_loop().create_task(exchange.run(self._app)))
        task.add_done_callback(self._server_state.tasks.discard)

    def _take_body(self) -> None:
        exchange, reader = self._exchange, self._reader
        assert exchange is not None  # noqa: S101  # a body always belongs to a request
        part = reader.take_body()
        if reader.taken > SMALL_BODY_BYTES:
            exchange.memory.grow(reader.taken)  # the length of a chunked body is not known before
        exchange.feed(part, is_last=not reader.is_in_body)
        if reader.is_in_body:
            self._wait_for_more(exchange)
        elif exchange.is_complete:
            self._next()
        else:
            self._wait_for_answer()

    def _wait_for_more(self, exchange: Exchange) -> None:
        """Set the deadline for more of the body: `request_seconds` from now, at a rate of at least LEAST_RATE."""
        if exchange.is_complete and self._reader.taken > LINGER_BYTES:
            self._transport.abort()
        elif not exchange.is_complete and exchange.is_behind(BACKLOG_BYTES):
            self._pause_reading()
        seconds = self._limits.request_seconds
        self._deadline = min(time.monotonic(), self._begun + self._reader.taken / LEAST_RATE) + seconds

    def _wait(self, seconds: float) -> None:
        """Set the deadline for the client to send the next head or body."""
        self._begun = self.waiting_since = time.monotonic()
        self._deadline = self._begun + seconds

    def _wait_for_answer(self) -> None:
        self.waiting_since = None
        self._deadline = NEVER

    def _pause_reading(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Resume reading after a full backlog paused it."""
        if self._is_paused and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()

    # Answering

    def pause_writing(self) -> None:
        self.writer.pause()

    def resume_writing(self) -> None:
        self.writer.resume()
        if self._exchange is None and self._reader.waiting:
            self.resume_reading()
            self._go_on()

    def end_answer(self) -> None:
        """The response is written: continue with the next request, or close the connection."""
        exchange = self._exchange
        if exchange is None or self._is_ending:
            return
        self._server_state.total_requests += 1
        if not exchange.keep_alive:
            self._end()
        elif not self._reader.is_in_body:
            self._next()
        else:
            self.resume_reading()  # read and drop the rest of the body, which the application did not read

    def _next(self) -> None:
        exchange = self._exchange
        assert exchange is not None  # noqa: S101  # its response was just written
        self._exchange = None
        exchange.memory.end(self.writer.unsent())
        if not exchange.keep_alive:
            self._end()
            return
        self._wait(self._limits.keep_alive_seconds)
        self.resume_reading()
        # A client that does not read its response gets no further one until it does.
        if self._reader.waiting and not self.writer.is_behind:
            asyncio.get_running_loop().call_soon(self._go_on)

    def close_unfinished(self) -> None:
        """Close the connection after a response that the application did not complete."""
        self._transport.close()

    def evict(self) -> None:
        """Close the connection to make room for others."""
        count_refusal("max_connections")
        self._transport.abort()

    def check(self, now: float) -> int:
        """Enforce the time limits. Returns the bytes held in memory, without the reserved ones."""
        if self.writer.is_read_too_slowly(now):
            count_refusal("answer_seconds")
            self._transport.abort()
        elif now > self._deadline:
            self._give_up()
        return self.writer.unsent() + self._reader.held

    def _give_up(self) -> None:
        self._deadline = NEVER
        exchange = self._exchange
        begun = self._reader.is_in_head if exchange is None else not exchange.is_started
        if self._is_lingering or not begun:
            self._transport.close()
        else:
            seconds = self._limits.request_seconds
            detail = f"No more of the request arrived within {seconds:g} seconds"
            self._refuse(Refused(408, detail, "body_seconds"))

    def _refuse(self, refused: Refused) -> None:
        """Send an error response, unless the application has started its own, and close the connection."""
        exchange = self._exchange
        path = ""
        if refused.limit is not None:
            count_refusal(refused.limit)
        if exchange is not None:
            path = exchange.scope["path"]
            exchange.leave()
        if exchange is None or not exchange.is_started:
            self.writer.refuse(refused, path)
        self._end()

    def _end(self) -> None:
        """Close the connection: at once if nothing is left to read, else lingering, as nginx does.

        A close with unread bytes makes the kernel reset the connection, and many clients then lose the response.
        """
        is_clean = not (self._reader.is_in_body or self._reader.is_in_head or self._reader.waiting)
        self._is_ending = True
        if self._exchange is not None:
            self._exchange.memory.end(self.writer.unsent())
            self._exchange = None
        self._reader.clear()
        if is_clean:
            self._transport.close()
            return
        self._is_lingering = True
        self._wait(LINGER_SECONDS)
        self.resume_reading()
        self._transport.write_eof()
