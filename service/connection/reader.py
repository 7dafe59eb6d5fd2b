"""What a connection has received: request heads and bodies, one after another, cut out of the stream of bytes."""

from service.connection.body import ChunkedBody, SizedBody
from service.connection.head import Head


class RequestReader:
    """The receiving side of a connection. Bytes that nobody has asked for yet stay in `_data`, from `_at` on."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._head: Head | None = None
        self._body: SizedBody | ChunkedBody | None = None
        self.taken = 0  # bytes of the body

    @property
    def is_in_head(self) -> bool:
        """Whether a part of a head has come."""
        return self._head is not None

    @property
    def is_in_body(self) -> bool:
        """Whether more of a body is to come."""
        return self._body is not None

    @property
    def waiting(self) -> int:
        """How many bytes have not been taken."""
        return len(self._data) - self._at

    @property
    def held(self) -> int:
        """How many bytes are held in memory, bodies left out."""
        return self.waiting + (self._head.size if self._head is not None else 0)

    def add(self, data: bytes) -> None:
        """Take in what the transport has received."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def clear(self) -> None:
        """Let go of everything."""
        self._data, self._at = b"", 0
        self._head = self._body = None

    def skip_blank_lines(self) -> None:
        """Pass over line ends before a request line (RFC 9112, 2.2)."""
        while self._data.startswith((b"\r", b"\n"), self._at):
            self._at += 1

    def take_head(self) -> Head | None:
        """The next head, if all of it has come; its body is what is taken next. Raises Refused."""
        head = self._head
        if head is None:
            head = self._head = Head()
        stop = head.feed(self._data, self._at)
        self._at = len(self._data) if stop is None else stop
        if stop is None:
            return None
        self._head = None
        self.taken = 0
        if head.length or head.is_chunked:
            self._body = ChunkedBody() if head.is_chunked else SizedBody(head.length)
        return head

    def take_body(self) -> bytes:
        """What has come of the body. Raises Refused."""
        body = self._body
        if body is None:
            return b""
        part, self._at = body.feed(self._data, self._at)
        self.taken += len(part)
        if body.is_whole:
            self._body = None
        return part
