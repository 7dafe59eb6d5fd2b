"""The memory budget of a process's connections, and their number."""

import asyncio
import heapq
import time
from typing import Protocol

from service.connection.limits import MEMORY_PER_BODY_BYTE, ConnectionLimits, Refused

SWEEPS = 5  # in the shortest time that is watched
LONGEST_SWEEP_SECONDS = 0.5
EVICTED_SHARE = 20  # one in so many connections ends when there are too many


class Watched(Protocol):
    """A connection, as seen from outside."""

    waiting_since: float | None  # for its client to send; None while it has a request at work

    def check(self, now: float) -> int:
        """End what has taken too long; the bytes that are held, reserved ones left out."""

    def evict(self) -> None:
        """End the connection at once, to make room."""


class ConnectionPool:
    """Every connection of a process: looks after their time limits, their number and the bytes that they hold.

    One timer looks at all connections a few times a second: a timer for each request would cost it two microseconds.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._connections: set[Watched] = set()
        self._reserved = 0
        self._held = 0
        self._is_sweeping = False

    def add(self, connection: Watched) -> None:
        """Take in a new connection, and end the ones that have waited longest if there are too many."""
        self._connections.add(connection)
        if len(self._connections) > self.limits.max_connections:
            waiting = [(c.waiting_since, id(c), c) for c in self._connections if c.waiting_since is not None]
            _evict(heapq.nsmallest(self._share(), waiting))
        if not self._is_sweeping:
            self._is_sweeping = True
            self._schedule()

    def discard(self, connection: Watched) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)

    def reserve(self, size: int) -> bool:
        """Take so many bytes of the budget; whether there were as many left."""
        if self._reserved + self._held + size > self.limits.memory_bytes:
            return False
        self._reserved += size
        return True

    def release(self, size: int, unsent: int) -> None:
        """Give bytes of the budget back, but for those of an answer that is still to be sent."""
        self._reserved -= size
        self._held += unsent  # until the next sweep counts anew

    def reservation(self) -> "Reservation":
        """Room for one request and its answer, none at first."""
        return Reservation(self)

    def _schedule(self) -> None:
        limits = self.limits
        shortest = min(limits.request_seconds, limits.answer_seconds, limits.keep_alive_seconds)
        asyncio.get_running_loop().call_later(min(LONGEST_SWEEP_SECONDS, shortest / SWEEPS), self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        held = [(connection.check(now), id(connection), connection) for connection in list(self._connections)]
        self._held = sum([size for size, _, _ in held])
        if self._reserved + self._held > self.limits.memory_bytes:
            _evict(heapq.nlargest(self._share(), held))
        if self._connections:
            self._schedule()
        else:
            self._is_sweeping = False

    def _share(self) -> int:
        return 1 + len(self._connections) // EVICTED_SHARE


class Reservation:
    """The part of the memory budget that one request and its answer have."""

    __slots__ = ("_pool", "_size")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._size = 0

    def grow(self, body_bytes: int) -> None:
        """Make room for a body of so many bytes. Raises Refused if the budget has none."""
        # Of a larger body the application refuses the first byte that is too much.
        needed = min(body_bytes, self._pool.limits.max_body_bytes) * MEMORY_PER_BODY_BYTE - self._size
        if needed <= 0:
            return
        if not self._pool.reserve(needed):
            raise Refused(429, "The bodies at work take all the memory that they may; try again", "memory_bytes")
        self._size += needed

    def end(self, unsent: int) -> None:
        """Give it back, but for so many bytes of the answer."""
        if self._size:
            self._pool.release(self._size, unsent)
            self._size = 0


def _evict(chosen: list[tuple[float, int, Watched]]) -> None:
    for _, _, connection in chosen:
        connection.evict()
