"""Graceful shutdown: on SIGTERM report not ready, keep serving for `seconds`, then stop."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.inference.errors import NotReady
from service.protocols.http_errors import to_response
from service.protocols.paths import READINESS

logger = logging.getLogger("lagcast")


class GracefulShutdown:
    """After SIGTERM, answer readiness probes with 503 and close each connection after its answer; stop after `seconds`.

    on_stop is called at SIGTERM. A second SIGTERM stops the server at once. The server's own signal handler, as it was
    when the lifespan began, is called to stop it.
    """

    def __init__(self, app: ASGIApp, seconds: float, on_stop: Callable[[], None]) -> None:
        self._app = app
        self._on_stop = on_stop
        self._seconds = seconds
        self.is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._listen()
        if not self.is_stopping or scope["type"] != "http":
            await self._app(scope, receive, send)
        elif READINESS.fullmatch(scope["path"]):
            await to_response(NotReady("the process is about to stop"))(scope, receive, _closing(send))
        else:
            await self._app(scope, receive, _closing(send))

    def _listen(self) -> None:
        stop = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is threading.main_thread() and callable(stop):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._on_sigterm, loop, stop)

    def _on_sigterm(self, loop: asyncio.AbstractEventLoop, stop: Callable[..., Any]) -> None:
        if self.is_stopping:
            stop(signal.SIGTERM, None)
            stop(signal.SIGINT, None)  # uvicorn then stops at once, with connections still open
            return
        self.is_stopping = True
        self._on_stop()
        logger.info("SIGTERM received: serving for another %g seconds", self._seconds)
        loop.call_later(self._seconds, stop, signal.SIGTERM, None)


def _closing(send: Send) -> Send:
    async def send_closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        await send(message)

    return send_closing
