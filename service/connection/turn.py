"""Turn of the event loop: reads what all connections have received, then answers their plain requests together."""

import asyncio
from typing import Protocol

from service.connection.lane import LaneRequest


class Reading(Protocol):
    """Interface of a connection that has received data."""

    def read(self) -> LaneRequest | None:
        """Parse the received data. Returns a request that is whole, if the lane may answer it."""


class Turn:
    """The connections of a process that have received data since the last turn.

    Reading all of them first keeps the code and data of each step in the processor's caches, and lets a network
    forecast the windows of all requests in one run. Nothing else runs in between: a connection is never seen with a
    request that is read but not answered.
    """

    def __init__(self) -> None:
        self._received: list[Reading] = []

    def add(self, connection: Reading) -> None:
        """Read a connection when all those that are readable now have received their data."""
        if not self._received:
            asyncio.get_running_loop().call_soon(self.run)
        self._received.append(connection)

    def run(self) -> None:
        """Read and answer at once."""
        received, self._received = self._received, []
        requests = [request for connection in received if (request := connection.read()) is not None]
        if requests:
            requests[0].lane.answer(requests)  # a process has one
