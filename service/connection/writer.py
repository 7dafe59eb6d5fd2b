"""Send buffer of a connection: responses, its own error responses, and detection of slow readers."""

import asyncio
from http import HTTPStatus

import orjson
from uvicorn.server import ServerState

from service.connection.limits import LEAST_RATE, Refused
from service.protocols.http_errors import RETRY_SECONDS, error_key

STATUS_LINES = {s.value: b"HTTP/1.1 %d %b\r\n" % (s.value, s.phrase.encode()) for s in HTTPStatus}


class AnswerWriter:
    """The sending side of a connection."""

    def __init__(self, transport: asyncio.Transport, server_state: ServerState, answer_seconds: float) -> None:
        self._transport = transport
        self._server_state = server_state
        self._answer_seconds = answer_seconds
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_lines = b""
        self._written = 0
        self._unread_since: tuple[float, int] | None = None  # monotonic time, and bytes read by then
        self._writable: asyncio.Event | None = None  # set when the transport resumes; None if it is not paused

    @property
    def is_behind(self) -> bool:
        """Whether the transport's write buffer is full because the client reads too slowly."""
        return self._writable is not None

    @property
    def has_written(self) -> bool:
        """Whether anything was sent."""
        return self._written > 0

    def write(self, content: bytes) -> None:
        """Send bytes; the transport buffers what the client does not read yet."""
        self._written += len(content)
        self._transport.write(content)

    async def drain(self) -> None:
        """Wait until the transport's write buffer has room again."""
        if self._writable is not None:
            await self._writable.wait()

    def pause(self) -> None:
        """Called when the transport's write buffer is full."""
        self._writable = asyncio.Event()

    def resume(self) -> None:
        """Called when the write buffer has room again, or the connection is lost."""
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    def unsent(self) -> int:
        """Number of bytes in the transport's write buffer."""
        return self._transport.get_write_buffer_size()

    def is_read_too_slowly(self, now: float) -> bool:
        """Whether the client reads a response slower than LEAST_RATE, after `answer_seconds`. now: monotonic."""
        unsent = self.unsent()
        read = self._written - unsent
        if not unsent:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now, read
        else:
            since, before = self._unread_since
            return now > since + self._answer_seconds + (read - before) / LEAST_RATE
        return False

    def default_headers(self) -> bytes:
        """Default headers of uvicorn as lines. Cached: uvicorn replaces the list every second."""
        headers = self._server_state.default_headers
        if headers is not self._headers:
            self._headers = headers
            self._header_lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        return self._header_lines

    def succeed(self, content: bytes, lines: bytes) -> None:
        """Write a complete response with status 200 in JSON. lines: of further headers."""
        head = b"content-length: %d\r\ncontent-type: application/json\r\n%b\r\n" % (len(content), lines)
        self.write(b"".join((STATUS_LINES[200], self.default_headers(), head, content)))

    def refuse(self, refused: Refused, path: str) -> None:
        """Write a complete error response. path: of the request, empty if unknown; it decides the JSON key."""
        content = orjson.dumps({error_key(path): refused.detail})
        lines = [STATUS_LINES[refused.status], self.default_headers()]
        if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
            lines.append(b"retry-after: %b\r\n" % RETRY_SECONDS.encode())
        lines.append(b"content-length: %d\r\ncontent-type: application/json\r\n" % len(content))
        self.write(b"".join([*lines, b"connection: close\r\n\r\n", content]))
