"""Request body parsers: Content-Length and chunked (RFC 9112, 7.1); trailers are limited in size and dropped."""

import re

from service.connection.limits import (
    MAX_CHUNK_LINE_BYTES,
    MAX_TRAILER_BYTES,
    SPARE_FRAMING_BYTES,
    Refused,
)

CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class SizedBody:
    """Parser of a body with Content-Length."""

    __slots__ = ("_left", "is_whole")

    def __init__(self, length: int) -> None:
        self._left = length
        self.is_whole = length == 0

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Read the body from data[start:]. Returns its bytes and the position after them."""
        stop = min(len(data), start + self._left)
        self._left -= stop - start
        self.is_whole = self._left == 0
        return data[start:stop], stop


class ChunkedBody:
    """Parser of a chunked body. The size of its framing, trailers included, is limited, and so is the work."""

    __slots__ = ("_framing", "_in_trailers", "_left", "_line", "_payload", "_trailers", "is_whole")

    def __init__(self) -> None:
        self.is_whole = False
        self._left = 0  # bytes of the chunk to come, including the line end after it
        self._line = b""
        self._in_trailers = False
        self._trailers = 0
        self._framing = 0
        self._payload = 0

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Read the body from data[start:]. Returns its bytes and the position after them. Raises Refused."""
        parts = []
        while start < len(data) and not self.is_whole:
            if self._left > 0:
                part, start = self._take(data, start)
                parts.append(part)
            else:
                start = self._read_line(data, start)
        return parts[0] if len(parts) == 1 else b"".join(parts), start

    def _take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Read a part of the chunk's data, or of the line end after it."""
        size = min(len(data) - start, self._left)
        payload = data[start : start + max(0, min(size, self._left - 2))]
        rest = data[start + len(payload) : start + size]
        if rest != b"\r\n"[2 - (self._left - len(payload)) :][: len(rest)]:
            raise Refused(400, "A chunk is longer than its size says")
        self._left -= size
        self._payload += len(payload)
        return payload, start + size

    def _read_line(self, data: bytes, start: int) -> int:
        end = data.find(b"\n", start, start + MAX_TRAILER_BYTES + 1)
        stop = len(data) if end < 0 else end + 1
        line = self._line + data[start:stop]
        self._count(len(line) - len(self._line), line)
        self._line = b""
        if end < 0:
            self._line = line
        elif self._in_trailers:
            self._end_trailer(line)
        else:
            self._begin_chunk(line)
        return stop

    def _count(self, new: int, line: bytes) -> None:
        self._framing += new
        if self._in_trailers:
            self._trailers += new
            if self._trailers > MAX_TRAILER_BYTES:
                raise Refused(431, f"The request's trailers are larger than {MAX_TRAILER_BYTES} bytes", "trailer_bytes")
        elif len(line) > MAX_CHUNK_LINE_BYTES:
            raise Refused(400, f"A chunk's head is larger than {MAX_CHUNK_LINE_BYTES} bytes")
        elif self._framing > SPARE_FRAMING_BYTES + self._payload // 8:
            raise Refused(400, "The body's chunks are too small: send larger ones, or Content-Length")

    def _begin_chunk(self, line: bytes) -> None:
        found = CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise Refused(400, "A chunk's size is not a hexadecimal number")
        size = int(found[1], 16)
        self._in_trailers = size == 0
        self._left = size + 2 if size else 0

    def _end_trailer(self, line: bytes) -> None:
        """Drop a trailer line: trailers must not be merged into the headers (RFC 9110, 6.5.1)."""
        if not line.endswith(b"\r\n"):
            raise Refused(400, "A trailer's line ends without CR")
        self.is_whole = line == b"\r\n"
