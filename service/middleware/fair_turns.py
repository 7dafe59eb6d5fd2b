"""Fair scheduling: few requests go on in one turn of the event loop, each client's in its turn."""

import asyncio
from collections.abc import Generator
from types import coroutine
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from service.inference.fair_queue import CLIENT, FairQueue

MOST = 2  # a request takes 0.2 to 0.5 ms of the event loop between two waits, a part of a long list or /metrics 5 ms


class FairTurns:
    """Lets at most MOST requests go on in a turn of the event loop; more of them wait for the next one.

    Without it, hundreds of requests that arrive in the same instant, or wait for the same event, are all answered
    before the event loop reads from any other connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()
        self._left = MOST  # of this turn; less than MOST only while `_begin_turn` is scheduled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = scope.get("client")
        CLIENT.set(address[0] if address else "")
        await self._run(self._app(scope, receive, send).__await__())

    @coroutine
    def _run(self, request: Generator[Any, Any, None]) -> Generator[Any, Any, None]:
        """Run a request: it waits for a turn at first, and whenever what it awaits is there."""
        wait = self._turn()
        while True:
            error: BaseException | None = None
            try:
                yield from wait
            except BaseException as raised:  # noqa: BLE001  # a cancellation, which is the request's
                error = raised
            try:
                awaited = request.send(None) if error is None else request.throw(error)
            except StopIteration:
                return
            finally:
                error = None  # its traceback refers to this frame
            wait = self._after(awaited)

    def _after(self, awaited: Any) -> Generator[Any, Any, None]:
        yield awaited
        yield from self._turn()

    def _turn(self) -> Generator[Any, Any, None]:
        if self._left:
            if self._left == MOST:
                asyncio.get_running_loop().call_soon(self._begin_turn)
            self._left -= 1
        else:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.put(CLIENT.get(), turn)
            yield from turn

    def _begin_turn(self) -> None:
        """Let the next ones go on that wait; what is left of the turn is for those that come."""
        self._left = MOST
        while self._left and self._waiting:
            turn = self._waiting.take()
            if not turn.done():  # else its request was cancelled
                turn.set_result(None)
                self._left -= 1
        if self._left < MOST:
            asyncio.get_running_loop().call_soon(self._begin_turn)
