"""The service on two loopback ports of this process, with the fast lane and without it, for the same requests."""

import asyncio
import logging
import re
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import uvicorn
from uvicorn.server import ServerState

from service.app import create_app
from service.connection import ConnectionLimits, ConnectionPool, HTTPConnection
from service.connection.ready import PROBE_SECONDS
from service.settings import Settings
from service.telemetry.metrics import REQUEST_SECONDS

REFUSALS: dict[str, Any] = {"max_batch_rows": 3, "max_body_bytes": 50_000}
LIMITS = ConnectionLimits(
    request_seconds=20,
    answer_seconds=20,
    keep_alive_seconds=20,
    max_body_bytes=50_000,
    memory_bytes=2**28,
    max_connections=100,
)
LAST = b"GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n"  # the server closes the connection after its answer
OWN_ID = re.compile(rb"(?<=x-request-id: )[0-9a-f]{16}-[0-9a-f]+")


class Outcome(NamedTuple):
    """What a connection answered, and what was recorded.

    recorded: requests by route and status. predictions: by model. lines: of the access log.
    """

    answers: bytes
    recorded: Counter[tuple[str, int]]
    predictions: Counter[str]
    lines: list[tuple[str, str]]


class Together(NamedTuple):
    """The same of many connections at once: answers by connection, and log lines in any order."""

    answers: list[bytes]
    recorded: Counter[tuple[str, int]]
    predictions: Counter[str]
    lines: Counter[tuple[str, str]]


class Lines(logging.Handler):
    """Collects the access log, without the times."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.getMessage().rsplit(" ", 2)[0], record.__dict__["client"]))


class Client(asyncio.Protocol):
    """Keeps what it receives, also if the connection is reset after it."""

    def __init__(self) -> None:
        self.received = b""
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, _: Exception | None) -> None:
        self.lost.set()


class Pair:
    """The two servers, and an event loop for them and their clients."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self._loop = asyncio.Runner()
        self._steps: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._log = Lines()

    def __enter__(self) -> Self:
        access = logging.getLogger("lagcast.access")
        access.addHandler(self._log)
        access.setLevel(logging.INFO)
        self._loop.run(self._start())
        return self

    async def _start(self) -> None:
        started = asyncio.Event()

        async def send(message: Any) -> None:
            assert message["type"].endswith(".complete")
            started.set()

        await self._steps.put({"type": "lifespan.startup"})
        self._lifespan = asyncio.ensure_future(self.app({"type": "lifespan", "state": {}}, self._steps.get, send))
        await started.wait()
        self._servers = [await _listen(app) for app in (self.app, self.app._app)]

    def __exit__(self, *_: object) -> None:
        logging.getLogger("lagcast.access").removeHandler(self._log)
        self._loop.run(self._stop())
        self._loop.close()

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        await self._steps.put({"type": "lifespan.shutdown"})
        await self._lifespan

    def ask(self, *parts: bytes, last: bytes = LAST, is_leaving: bool = False) -> tuple[Outcome, Outcome]:
        """What the server with the lane, and the one without it, do with the same bytes, sent in these parts.

        is_leaving: the client resets the connection when it has sent them.
        """
        sent = [*parts, last]
        with_lane, without = (self._loop.run(self._ask(server, sent, is_leaving)) for server in self._servers)
        return with_lane, without

    async def _ask(self, server: asyncio.Server, parts: list[bytes], is_leaving: bool) -> Outcome:  # noqa: FBT001
        self._log.lines.clear()
        before, predictions = recorded(), self._predictions()
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_connection(Client, *server.sockets[0].getsockname())
        for part in parts:
            transport.write(part)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if is_leaving:
            await asyncio.sleep(0.05)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        elif not parts[-1]:
            transport.write_eof()
        await client.lost.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        answers = OWN_ID.sub(b"own", client.received)
        return Outcome(answers, recorded() - before, self._predictions() - predictions, list(self._log.lines))

    def ask_at_once(self, contents: Sequence[bytes], last: bytes = LAST) -> tuple[Together, Together]:
        """What both servers do with one content on each of many connections, sent in one turn of the event loop."""
        with_lane, without = (self._loop.run(self._ask_at_once(server, contents, last)) for server in self._servers)
        return with_lane, without

    async def _ask_at_once(self, server: asyncio.Server, contents: Sequence[bytes], last: bytes) -> Together:
        self._log.lines.clear()
        before, predictions = recorded(), self._predictions()
        loop, address = asyncio.get_running_loop(), server.sockets[0].getsockname()
        made = [await loop.create_connection(Client, *address) for _ in contents]
        await asyncio.sleep(2 * PROBE_SECONDS)  # then the next turn is waited for
        for (transport, _), content in zip(made, contents, strict=True):
            transport.write(content + last)
            if not last:
                transport.write_eof()
        for _, client in made:
            await client.lost.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        answers = [OWN_ID.sub(b"own", client.received) for _, client in made]
        return Together(answers, recorded() - before, self._predictions() - predictions, Counter(self._log.lines))

    def _predictions(self) -> Counter[str]:
        states = self.app.lane._lifecycle.states()
        return Counter({name: state.live.tally.predictions for name, state in states.items() if state.live})


async def _listen(app: Any) -> asyncio.Server:
    config = uvicorn.Config(app, lifespan="off", log_config=None, proxy_headers=False)
    config.load()
    state, pool = ServerState(), ConnectionPool(LIMITS)
    state.default_headers = [(b"date", b"today")]
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: HTTPConnection(config, state, {}, pool=pool), "127.0.0.1", 0)


def recorded() -> Counter[tuple[str, int]]:
    """Requests that were recorded until now, by route and status."""
    return Counter({key: sum(counts) for key, counts in REQUEST_SECONDS._counts.items()})


def post(path: str, body: bytes, *headers: tuple[str, str], method: str = "POST") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "host: here", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Refuser:
    """An ASGI application that must not be called."""

    async def __call__(self, scope: Any, *_: object) -> None:
        raise AssertionError(scope["path"])
