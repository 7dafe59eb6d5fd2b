"""Connection pool: time limits, memory budget and maximum number of the connections of a process."""

import asyncio
import heapq
import time
from typing import Protocol

from service.connection.limits import MEMORY_PER_BODY_BYTE, ConnectionLimits, Refused
from service.connection.ready import ReadyConnections

SWEEPS = 5  # checks during the shortest time limit
LONGEST_SWEEP_SECONDS = 0.5
EVICTED_SHARE = 20  # one of this many connections is closed when there are too many


class Watched(Protocol):
    """Interface of a connection in the pool."""

    @property
    def waiting_since(self) -> float | None:
        """Monotonic time since when the client must send; None during a request."""

    @property
    def was_answered(self) -> bool:
        """Whether anything was sent to the client."""

    def check(self, now: float) -> int:
        """Enforce the time limits. Returns the bytes held in memory, without the reserved ones."""

    def evict(self) -> None:
        """Close the connection at once, to make room for others."""


_Rank = tuple[float, int, Watched]  # a number to compare connections by, and another if that is a tie


class ConnectionPool:
    """All connections of a process: enforces their time limits, their number and the memory budget.

    One timer checks all connections a few times per second; a timer per request would cost two microseconds each.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.ready = ReadyConnections()
        self._connections: set[Watched] = set()
        self._reserved = 0
        self._held = 0
        self._is_sweeping = False

    def add(self, connection: Watched) -> None:
        """Add a connection; if there are too many, close some that have been idle longest."""
        self._connections.add(connection)
        if len(self._connections) > self.limits.max_connections:
            _evict(heapq.nsmallest(self._share(), self._idle()))
        if not self._is_sweeping:
            self._is_sweeping = True
            self._schedule()

    def discard(self, connection: Watched) -> None:
        """Remove a closed connection."""
        self._connections.discard(connection)

    def reserve(self, size: int) -> bool:
        """Reserve bytes of the budget. Returns False, and reserves nothing, if too few are left."""
        if self._reserved + self._held + size > self.limits.memory_bytes:
            return False
        self._reserved += size
        return True

    def release(self, size: int, unsent: int) -> None:
        """Return reserved bytes to the budget; `unsent` bytes of the response stay counted."""
        self._reserved -= size
        self._held += unsent  # until the next sweep counts again

    def reservation(self) -> "Reservation":
        """An empty reservation for one request and its response."""
        return Reservation(self)

    def _idle(self) -> list[_Rank]:
        """The connections whose client must send, those that were answered before or the others, whichever are more.

        So connections that are opened without end, and never send a whole request, take no more than half of all from
        clients that use theirs; and those that are kept open leave room for new ones.
        """
        answered, others = list[_Rank](), list[_Rank]()
        for connection in self._connections:
            if connection.waiting_since is not None:
                rank = connection.waiting_since, id(connection), connection
                (answered if connection.was_answered else others).append(rank)
        return max(answered, others, key=len)

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
    """Memory budget reserved for one request and its response."""

    __slots__ = ("_pool", "_size")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._size = 0

    def grow(self, body_bytes: int) -> None:
        """Reserve memory for a body of `body_bytes`. Raises Refused if the budget is exhausted."""
        # The application refuses a body as soon as it exceeds max_body_bytes: no more is ever held.
        needed = min(body_bytes, self._pool.limits.max_body_bytes) * MEMORY_PER_BODY_BYTE - self._size
        if needed <= 0:
            return
        if not self._pool.reserve(needed):
            raise Refused(429, "The bodies at work take all the memory that they may; try again", "memory_bytes")
        self._size += needed

    def end(self, unsent: int) -> None:
        """Release the reservation; `unsent` bytes of the response stay counted until they are sent."""
        if self._size:
            self._pool.release(self._size, unsent)
            self._size = 0


def _evict(chosen: list[_Rank]) -> None:
    for _, _, connection in chosen:
        connection.evict()
