"""Connections that have received data: all are read in one turn of the event loop, then answered together."""

import asyncio
import time
from typing import Protocol

from service.connection.lane import LaneRequest
from service.connection.limits import SMALL_BODY_BYTES

PROBE_SECONDS = 0.01  # between two turns whose requests are counted, while requests come one by one


class Reading(Protocol):
    """Interface of a connection that has received data."""

    def read(self) -> LaneRequest | None:
        """Parse the received data. Returns a request that is whole, if the lane may answer it."""


class ReadyConnections:
    """The connections of a process that have received data since the last turn of the event loop.

    Reading all of them first keeps the code and data of each step in the processor's caches, and lets a network
    forecast the windows of all requests in one run. Nothing else runs in between: a connection is never seen with a
    request that is read but not answered.

    Where requests come one by one, waiting for the end of the turn gains nothing and costs 10 µs. Then a turn is
    waited for every PROBE_SECONDS only, to see how many requests it has.
    """

    def __init__(self) -> None:
        self._received: dict[Reading, None] = {}
        self._is_ending = False
        self._is_shared = False  # by several requests
        self._probe_at = 0.0

    def receive(self, connection: Reading, size: int) -> None:
        """Read a connection that has received `size` bytes: at the end of the turn, or at once."""
        if size <= SMALL_BODY_BYTES and (self._is_shared or time.monotonic() >= self._probe_at):
            self.add(connection)
        elif connection in self._received:  # more of each connection, kept until the end, would take much memory
            self.run()
        else:
            request = connection.read()
            if request is not None:
                request.lane.answer_alone(request)

    def add(self, connection: Reading) -> None:
        """Read a connection at the end of the turn, when all those that are readable have received their data."""
        self._received[connection] = None
        if not self._is_ending:
            self._is_ending = True
            asyncio.get_running_loop().call_soon(self._end)

    def run(self) -> int:
        """Read and answer at once. Returns the number of requests."""
        received, self._received = self._received, {}
        requests = [request for connection in received if (request := connection.read()) is not None]
        if requests:
            requests[0].lane.answer(requests)  # a process has one
        return len(requests)

    def _end(self) -> None:
        self._is_ending = False
        self._is_shared = self.run() > 1
        self._probe_at = time.monotonic() + PROBE_SECONDS
