"""Receive buffer of a connection: splits the byte stream into request heads and bodies."""

from service.connection.body import ChunkedBody, SizedBody
from service.connection.head import END, KNOWN_BYTES, Head, known_head


class RequestReader:
    """The receiving side of a connection. Unparsed bytes are `_data[_at:]`."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._head: Head | None = None
        self._body: SizedBody | ChunkedBody | None = None
        self.taken = 0  # bytes of the current body

    @property
    def is_in_head(self) -> bool:
        """Whether a head has arrived in part."""
        return self._head is not None

    @property
    def is_in_body(self) -> bool:
        """Whether a body is incomplete."""
        return self._body is not None

    @property
    def waiting(self) -> int:
        """Number of received bytes that are not parsed yet."""
        return len(self._data) - self._at

    @property
    def is_empty(self) -> bool:
        """Whether everything that has arrived is parsed: no request is incomplete or waits."""
        return not (self.is_in_head or self.is_in_body or self.waiting)

    @property
    def held(self) -> int:
        """Number of bytes held in memory, without bodies."""
        return self.waiting + (self._head.size if self._head is not None else 0)

    def add(self, data: bytes) -> None:
        """Append bytes that the transport received."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def clear(self) -> None:
        """Drop all buffered data."""
        self._data, self._at = b"", 0
        self._head = self._body = None

    def skip_blank_lines(self) -> None:
        """Skip blank lines before a request line (RFC 9112, 2.2)."""
        while self._data.startswith((b"\r", b"\n"), self._at):
            self._at += 1

    def take_head(self) -> Head | None:
        """Parse the next head; None if it is incomplete. Its body, if any, comes next. Raises Refused."""
        end = self._data.find(END, self._at, self._at + KNOWN_BYTES) if self._head is None else -1
        if end < 0:
            head = self._feed_head()
        else:
            head = known_head(self._data[self._at : end + len(END)])
            self._at = end + len(END)
        if head is not None:
            self.taken = 0
            if head.length or head.is_chunked:
                self._body = ChunkedBody() if head.is_chunked else SizedBody(head.length)
        return head

    def _feed_head(self) -> Head | None:
        """Parse a head that arrives in parts, or is large; None if it is incomplete. Raises Refused."""
        head = self._head = self._head or Head()
        stop = head.feed(self._data, self._at)
        self._at = len(self._data) if stop is None else stop
        if stop is None:
            return None
        self._head = None
        return head

    def take_body(self) -> bytes:
        """The received part of the current body. Raises Refused."""
        body = self._body
        if body is None:
            return b""
        part, self._at = body.feed(self._data, self._at)
        self.taken += len(part)
        if body.is_whole:
            self._body = None
        return part
