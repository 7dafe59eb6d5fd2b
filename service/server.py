"""uvicorn's server, with a log line of its address and a shutdown that is not reported as an error."""

import gc
import logging
import socket
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from service.app import create_app
from service.inference.follow import Source
from service.inference.malloc import tune_malloc
from service.settings import Settings
from service.telemetry.logs import STDERR, log_uncaught

logger = logging.getLogger("lagcast")

CANNOT_LISTEN = 3  # the exit code
COLLECTIONS = 1000  # of younger objects between two full ones; 10 by default


class Server(uvicorn.Server):
    """Serves on a socket that is bound already."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the models, then listen. Exits with CANNOT_LISTEN if another process has taken the port meanwhile."""
        try:
            await super().startup(sockets)
        except OSError as error:
            await self.lifespan.shutdown()
            logger.error("cannot listen: %s", error.strerror)  # noqa: TRY400  # the message says all
            sys.exit(CANNOT_LISTEN)
        _tune_collector()
        if sockets and self.config.workers == 1:
            logger.info(where(sockets[0]))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the connections, and end the lifespan even if a second signal has interrupted the wait for them."""
        await super().shutdown(sockets)
        if self.force_exit:
            await self.lifespan.shutdown()


def _tune_collector() -> None:
    """Make full garbage collections short and rare: during one nobody is answered.

    They look no longer at the hundred thousand objects that are there when the process has started, which took 40 ms.
    With thousands of requests in progress one takes as long, and finds nothing: these leave no cycles of references.
    """
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], COLLECTIONS)


def start_app(settings: Settings, metrics_dir: Path | None, source: Source) -> ASGIApp:
    """Create the application in the process that serves it; first set up its stderr, allocator and excepthook."""
    STDERR.capture()
    sys.excepthook = log_uncaught
    tune_malloc()
    return create_app(settings, metrics_dir, source)


def where(bound: socket.socket) -> str:
    """One line with the address of the service and how to stop it."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    address = f"http://{host}:{port}"
    return f"serving: the page is at {address}/, the documents at {address}/docs; stop with Ctrl-C or SIGTERM"
