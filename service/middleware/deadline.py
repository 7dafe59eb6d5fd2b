"""Maximum time per request (504)."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.inference.errors import DeadlineExceeded
from service.middleware.unlimited import is_unlimited
from service.protocols.http_errors import to_response


class Deadline:
    """Answers 504 after `seconds`. The work is not cancelled: its result is discarded."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_unlimited(scope):
            await self._app(scope, receive, send)
            return
        started = False
        refusal: asyncio.Task[None] | None = None

        async def send_in_time(message: Message) -> None:
            nonlocal started
            if refusal is None:
                started = True
                await send(message)

        def give_up() -> None:
            nonlocal refusal
            if not started:  # an answer that has started takes as long as the client needs to read it
                error = DeadlineExceeded(f"The work took longer than {self._seconds:g} seconds")
                refusal = asyncio.ensure_future(to_response(error)(scope, receive, send))

        timer = asyncio.get_running_loop().call_later(self._seconds, give_up)
        try:
            await self._app(scope, receive, send_in_time)
        finally:
            timer.cancel()
            if refusal is not None:
                await refusal
