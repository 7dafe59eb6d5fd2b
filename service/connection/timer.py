"""Deadline of a connection's client to send the next part of a request."""

import time

from service.connection.limits import LEAST_RATE

NEVER = float("inf")  # no deadline


class ClientTimer:
    """Times are of time.monotonic(). waiting_since: since when the client must send; None during a request."""

    __slots__ = ("_begun", "_deadline", "waiting_since")

    def __init__(self) -> None:
        self._begun = 0.0  # when the current head or body began
        self._deadline = NEVER
        self.waiting_since: float | None = None

    def wait(self, seconds: float) -> None:
        """Set the deadline for the client to send the next head or body."""
        self._begun = self.waiting_since = time.monotonic()
        self._deadline = self._begun + seconds

    def wait_for_more(self, taken: int, seconds: float) -> None:
        """Set the deadline for more of a body: `seconds` from now, at a rate of at least LEAST_RATE.

        taken: bytes that have arrived.
        """
        self._deadline = min(time.monotonic(), self._begun + taken / LEAST_RATE) + seconds

    def stop(self) -> None:
        """Wait for nothing: the whole request has arrived."""
        self.waiting_since = None
        self._deadline = NEVER

    def is_over(self, now: float) -> bool:
        """Whether the deadline has passed."""
        return now > self._deadline
