"""HTTP/1.1 on one connection: one request after another, each with its limits, and their answers in order."""

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

NEVER = float("inf")  # a deadline
ASGI = {"version": "3.0", "spec_version": "2.3"}


class HTTPConnection(asyncio.Protocol):
    """What uvicorn's server makes for each connection, in place of its own HttpToolsProtocol.

    The next request is not looked at before the answer to the one before it is written, so that answers and refusals
    come in the order of their requests; what arrives meanwhile waits, up to BACKLOG_BYTES, and then in the kernel.
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
        self._begun = 0.0  # when the head or body that is arriving began
        self._deadline = NEVER  # for the client to send more
        self._is_paused = False
        self._is_ending = False
        self._is_lingering = False
        self._linger_left = LINGER_BYTES  # that are read and dropped while the connection ends
        self.waiting_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of TCP it is one
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
        """The client sends no more; one that has sent a whole request is still answered."""
        exchange = self._exchange
        if exchange is None or not exchange.has_body or self._is_lingering:
            return False
        exchange.keep_alive = False
        return True

    def shutdown(self) -> None:
        """uvicorn: take no further request."""
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
        """Take in what has come, as far as it is its turn."""
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
        assert exchange is not None  # noqa: S101  # a body is read for a request only
        part = reader.take_body()
        if reader.taken > SMALL_BODY_BYTES:
            exchange.memory.grow(reader.taken)  # of chunks it is not known before how many there will be
        exchange.feed(part, is_last=not reader.is_in_body)
        if reader.is_in_body:
            self._wait_for_more(exchange)
        elif exchange.is_complete:
            self._next()
        else:
            self._wait_for_answer()

    def _wait_for_more(self, exchange: Exchange) -> None:
        """The client must send more of the body soon, and all of it with the least rate."""
        if exchange.is_complete and self._reader.taken > LINGER_BYTES:
            self._transport.abort()
        elif not exchange.is_complete and exchange.is_behind(BACKLOG_BYTES):
            self._pause_reading()
        seconds = self._limits.request_seconds
        self._deadline = min(time.monotonic(), self._begun + self._reader.taken / LEAST_RATE) + seconds

    def _wait(self, seconds: float) -> None:
        """The client has so many seconds from now to send what comes next."""
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
        """Read on, after a pause that a full backlog has made."""
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
        """The answer to the request is written: go on to the next one, or end the connection."""
        exchange = self._exchange
        if exchange is None or self._is_ending:
            return
        self._server_state.total_requests += 1
        if not exchange.keep_alive:
            self._end()
        elif not self._reader.is_in_body:
            self._next()
        else:
            self.resume_reading()  # to the end of a body that the application did not want

    def _next(self) -> None:
        exchange = self._exchange
        assert exchange is not None  # noqa: S101  # it has just been answered
        self._exchange = None
        exchange.memory.end(self.writer.unsent())
        if not exchange.keep_alive:
            self._end()
            return
        self._wait(self._limits.keep_alive_seconds)
        self.resume_reading()
        # A client that does not read gets no second answer until it does.
        if self._reader.waiting and not self.writer.is_behind:
            asyncio.get_running_loop().call_soon(self._go_on)

    def close_unfinished(self) -> None:
        """End the connection behind an answer that the application did not finish."""
        self._transport.close()

    def evict(self) -> None:
        """End the connection to make room for others."""
        count_refusal("max_connections")
        self._transport.abort()

    def check(self, now: float) -> int:
        """End what has taken too long; the bytes that are held, reserved ones left out."""
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
        """Answer in the application's stead, unless it has begun to, and end the connection."""
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
        """End the connection: at once if the client has sent all that it will, else when it has read the answer.

        A close with unread bytes makes the kernel reset the connection, and many clients then never see the answer.
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
