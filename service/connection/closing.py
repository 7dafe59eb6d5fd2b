"""Closing a connection: at once if nothing is left to read, else lingering, as nginx does."""

import asyncio

from service.connection.limits import LINGER_BYTES, LINGER_SECONDS
from service.connection.timer import ClientTimer


class Closing:
    """The end of a connection. What still arrives is dropped, up to LINGER_BYTES.

    A close with unread bytes makes the kernel reset the connection, and many clients then lose the response.
    """

    __slots__ = ("_left", "_transport", "has_begun", "is_half_closed", "is_lingering")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._left = LINGER_BYTES
        self.has_begun = False
        self.is_half_closed = False  # by the client, which sends nothing more
        self.is_lingering = False

    def linger(self, timer: ClientTimer) -> None:
        """Close the sending side; the client has LINGER_SECONDS to close its own."""
        self.is_lingering = True
        timer.wait(LINGER_SECONDS)
        self._transport.write_eof()

    def drop(self, size: int) -> None:
        """Count bytes that arrived after the last response."""
        self._left -= size
        if self._left < 0:
            self._transport.abort()
