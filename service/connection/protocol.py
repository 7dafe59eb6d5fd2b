"""HTTP/1.1 server protocol of one connection: requests one after another, with time and memory limits."""

import asyncio
import time
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from service.connection.closing import Closing
from service.connection.exchange import Exchange
from service.connection.flow import ReadFlow
from service.connection.handler import Handler
from service.connection.head import Head
from service.connection.lane import Admitted, LaneRequest
from service.connection.limits import BACKLOG_BYTES, INFLATION, LINGER_BYTES, SMALL_BODY_BYTES, Refused
from service.connection.memory import ConnectionPool
from service.connection.reader import RequestReader
from service.connection.timer import ClientTimer
from service.connection.writer import AnswerWriter
from service.telemetry.metrics import count_refusal


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
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._pool = pool
        self._limits = pool.limits
        self._reader = RequestReader()
        self._exchange: Exchange | None = None
        self._timer = ClientTimer()

    @property
    def waiting_since(self) -> float | None:
        """Since when the client must send, of time.monotonic(); None during a request."""
        return self._timer.waiting_since

    @property
    def was_answered(self) -> bool:
        """Whether anything was sent to the client."""
        return self.writer.has_written

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP has one
        self._closing = Closing(self._transport)
        self.flow = ReadFlow(self._transport)
        self.writer = AnswerWriter(self._transport, self._server_state, self._limits.answer_seconds)
        self._handler = Handler(self._config, self._server_state, self._app_state, self._transport)
        self._server_state.connections.add(self)  # type: ignore[arg-type]  # it only calls shutdown()
        self._timer.wait(self._limits.request_seconds)
        self._pool.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # as asyncio calls it
        self._server_state.connections.discard(self)
        self._pool.discard(self)
        self._closing.has_begun = True
        if self._exchange is not None:
            self._handler.leave(self._exchange)
            self._exchange.memory.end(self.writer.unsent())
            self._exchange = None
        self.writer.resume()
        self._reader.clear()

    def eof_received(self) -> bool:
        """The client has half-closed the connection: every request that is whole still gets its response."""
        self._pool.ready.run()
        self._closing.is_half_closed = True
        return not self._closing.has_begun and self._has_request()

    def _has_request(self) -> bool:
        """Whether a whole request is in progress, or unparsed data may hold one."""
        return self._reader.waiting > 0 if self._exchange is None else self._exchange.has_body

    def shutdown(self) -> None:
        """Called by uvicorn at shutdown: finish the current request, then close."""
        self._pool.ready.run()
        if self._exchange is None:
            self._transport.close()
        else:
            self._exchange.keep_alive = False

    # Reading

    def data_received(self, data: bytes) -> None:
        if self._closing.has_begun:
            self._closing.drop(len(data))
        else:
            self._reader.add(data)
            self._pool.ready.receive(self, len(data))

    def read(self) -> LaneRequest | None:
        """Parse the received data, up to a request that has to wait for a response, or is the lane's and returned."""
        reader = self._reader
        try:
            while reader.waiting and not self._closing.has_begun:
                if reader.is_in_body:
                    request = self._take_body()
                elif self._exchange is None and not self.writer.is_behind:
                    request = self._take_head()
                else:
                    if reader.waiting > BACKLOG_BYTES:
                        self.flow.pause()
                    return None
                if request is not None:
                    return request
        except Refused as refused:
            self._refuse(refused)
        if self._closing.is_half_closed and not self._has_request():
            self._transport.close()
        return None

    def _take_head(self) -> LaneRequest | None:
        if not self._reader.is_in_head:
            self._reader.skip_blank_lines()
            if not self._reader.waiting:
                return None
            self._timer.wait(self._limits.request_seconds)
        head = self._reader.take_head()
        return None if head is None else self._start(head)

    def _start(self, head: Head) -> LaneRequest | None:
        begun = time.monotonic()
        admitted = self._handler.admit(head)
        if admitted is not None and self._reader.waiting >= head.length:
            return self._handler.ask(self, admitted, self._reader.take_body(), begun)
        exchange = self._begin(head, begun, admitted)
        if admitted is None:
            self._handler.run(exchange)
        return None

    def end_lane(self, request: LaneRequest, *, is_answered: bool) -> None:
        """The lane has answered a request, or left it to the application."""
        if is_answered:
            self._server_state.total_requests += 1
            self._await_next()
        else:
            self._handler.run(self._keep(request))

    def hold(self, request: LaneRequest) -> None:
        """The lane answers a request later."""
        self._keep(request).held = request

    def release(self, request: LaneRequest) -> bool:
        """Whether the lane may answer a request that was held."""
        exchange = self._exchange
        if exchange is None or exchange.held is not request or not self._handler.is_for_lane(exchange):
            return False
        self._exchange = None  # made anew if the lane cannot answer
        return True

    def _keep(self, request: LaneRequest) -> Exchange:
        exchange = self._begin(request.admitted.head, request.begun, request.admitted)
        exchange.feed(request.body, is_last=True)
        return exchange

    def _begin(self, head: Head, begun: float, admitted: Admitted | None = None) -> Exchange:
        """Begin the exchange of a request that is not answered at once."""
        memory = self._pool.reservation()
        self._exchange = exchange = self._handler.begin(self, head, memory, begun, admitted)
        if self._reader.is_in_body:
            self._timer.wait(self._limits.request_seconds)
        else:
            exchange.has_body = True
            self._timer.stop()
        if head.length <= self._limits.max_body_bytes and (head.is_compressed or not head.is_small):
            memory.grow(head.length * (INFLATION if head.is_compressed else 1))
        return exchange

    def _take_body(self) -> LaneRequest | None:
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
            self._timer.stop()
            if self._handler.is_for_lane(exchange):
                self._exchange = None  # as above
                return self._handler.ask_whole(self, exchange)
        return None

    def _wait_for_more(self, exchange: Exchange) -> None:
        if exchange.is_complete and self._reader.taken > LINGER_BYTES:
            self._transport.abort()
        elif not exchange.is_complete and exchange.is_behind(BACKLOG_BYTES):
            self.flow.pause()
        self._timer.wait_for_more(self._reader.taken, self._limits.request_seconds)

    # Answering

    def pause_writing(self) -> None:
        self.writer.pause()

    def resume_writing(self) -> None:
        self.writer.resume()
        if self._exchange is None and self._reader.waiting:
            self.flow.resume()
            self._pool.ready.add(self)

    def end_answer(self) -> None:
        """The response is written: continue with the next request, or close the connection."""
        exchange = self._exchange
        if exchange is None or self._closing.has_begun:
            return
        self._server_state.total_requests += 1
        if not exchange.keep_alive:
            self._end()
        elif not self._reader.is_in_body:
            self._next()
        else:
            self.flow.resume()  # read and drop the rest of the body, which the application did not read

    def _next(self) -> None:
        exchange = self._exchange
        assert exchange is not None  # noqa: S101  # its response was just written
        self._exchange = None
        exchange.memory.end(self.writer.unsent())
        self._await_next() if exchange.keep_alive else self._end()

    def _await_next(self) -> None:
        self._timer.wait(self._limits.keep_alive_seconds)
        self.flow.resume()
        if not self._reader.waiting:
            if self._closing.is_half_closed:
                self._transport.close()
        elif not self.writer.is_behind:  # a client that does not read its response gets no further one until it does
            self._pool.ready.add(self)

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
        elif self._timer.is_over(now):
            self._give_up()
        return self.writer.unsent() + self._reader.held

    def _give_up(self) -> None:
        self._timer.stop()
        exchange = self._exchange
        begun = self._reader.is_in_head if exchange is None else not exchange.is_started
        if self._closing.is_lingering or not begun:
            self._transport.close()
        else:
            detail = f"No more of the request arrived within {self._limits.request_seconds:g} seconds"
            self._refuse(Refused(408, detail, "body_seconds"))

    def _refuse(self, refused: Refused) -> None:
        """Send an error response, unless the application has started its own, and close the connection."""
        exchange = self._exchange
        if refused.limit is not None:
            count_refusal(refused.limit)
        if exchange is not None:
            self._handler.leave(exchange)
        if exchange is None or not exchange.is_started:
            self.writer.refuse(refused, exchange.scope["path"] if exchange is not None else "")
        self._end()

    def _end(self) -> None:
        """Close the connection."""
        self._closing.has_begun = True
        if self._exchange is not None:
            self._exchange.memory.end(self.writer.unsent())
            self._exchange = None
        if self._closing.is_half_closed or self._reader.is_empty:
            self._transport.close()
        else:
            self.flow.resume()
            self._closing.linger(self._timer)
        self._reader.clear()
