"""Load: clients that keep a service busy, check every answer, and record failures."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

Check = Callable[[dict[str, object]], bool]


@dataclass
class Load:
    """Results of a load so far: (time, latency) of each answer in seconds, and messages of failures."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def p99(self, since: float = 0, until: float = float("inf")) -> float:
        """99th percentile of the latency in milliseconds, over the answers in an interval of time.perf_counter()."""
        return 1e3 * quantiles([took for at, took in self.answers if since <= at < until], n=100)[98]


@contextmanager
def loaded(port: int, request: bytes, check: Check, connections: int = 32) -> Iterator[Load]:
    """Send requests on a number of connections, one after another on each, in a thread until the context exits.

    The clients behave like a load balancer: after `Connection: close` they open a new connection, unless the readiness
    probe, sent ten times a second, reports that the service is about to stop.
    """
    load, stop = Load(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_ask_all(port, request, check, connections, load, stop)))
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join(timeout=60)


async def _ask_all(
    port: int, request: bytes, check: Check, connections: int, load: Load, stop: threading.Event
) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_ask(port, request, check, load, stop))
        group.create_task(_watch_readiness(port, stop))


async def _watch_readiness(port: int, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if b" 503 " in await reader.readline():
                stop.set()
            writer.close()
        except ConnectionError:
            stop.set()
        await asyncio.sleep(0.1)


async def _ask(port: int, request: bytes, check: Check, load: Load, stop: threading.Event) -> None:
    while not stop.is_set():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while not stop.is_set() and await _one(reader, writer, request, check, load):
                pass
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            load.failures.append(repr(error))
        finally:
            writer.close()


async def _one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, check: Check, load: Load
) -> bool:
    """Send one request; return whether the connection can be reused."""
    begin = time.perf_counter()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    end = time.perf_counter()
    load.answers.append((end, end - begin))
    if not head.startswith(b"http/1.1 200 ") or not check(json.loads(body)):
        load.failures.append(f"{head[:40]!r} {body[:200]!r}")
    return b"connection: close" not in head


def post(path: str, body: str) -> bytes:
    """The bytes of a POST request."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
