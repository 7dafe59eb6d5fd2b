"""Request heads: request line and headers, parsed by httptools, with limits on bytes, lines and the query."""

import urllib.parse
from functools import lru_cache
from typing import Any

import httptools

from service.connection.limits import (
    MAX_HEAD_BYTES,
    MAX_HEADER_LINES,
    MAX_LINE_BYTES,
    MAX_QUERY_BYTES,
    SMALL_BODY_BYTES,
    Refused,
)

END = b"\r\n\r\n"
FRAMING = frozenset({b"content-length", b"transfer-encoding", b"expect", b"content-encoding"})
NOT_HTTP = "Invalid HTTP request received."
KNOWN_HEADS = 2048  # so that each of 1,000 loaded models can have one or two; of 2 KB in memory each, and 16 at most
KNOWN_BYTES = 1024  # of a head that is kept


class Head:
    """Incremental parser of one request head, which does not change after it is complete.

    httptools gets the head only; `body.py` finds the end of the body. So an Upgrade header, which may be ignored
    (RFC 9110, 7.8) but makes httptools skip the body, has no effect.
    """

    __slots__ = (
        "_parser", "_tail", "_url", "expects_continue", "headers", "is_chunked", "is_compressed", "keep_alive",
        "length", "method", "path", "query", "raw_path", "size", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.size = 0
        self.length = 0
        self.is_chunked = False
        self.is_compressed = False
        self.expects_continue = False
        self.method = ""
        self._url = b""
        self._tail = b""
        self._parser: Any = httptools.HttpRequestParser(self)

    def feed(self, data: bytes, start: int) -> int | None:
        """Parse data[start:]. Returns the position after the head, or None if it is incomplete. Raises Refused."""
        stop = self._end(data, start)
        is_whole = stop is not None
        stop = len(data) if stop is None else stop
        self.size += stop - start
        if self.size > MAX_HEAD_BYTES:
            raise _too_large(f"is larger than {MAX_HEAD_BYTES} bytes")
        self._parse(data if start == 0 and stop == len(data) else data[start:stop])
        if is_whole:
            self._parser = None  # it refers to this head, and only the garbage collector could free both
            self._finish()
            return stop
        self._tail = (self._tail + data[max(start, len(data) - 3) :])[-3:]
        return None

    def _end(self, data: bytes, start: int) -> int | None:
        """The position after the blank line that ends the head; it may start in the previous data."""
        if self._tail:
            seam = (self._tail + data[start : start + 3]).find(END)
            if seam >= 0:
                return start + seam + len(END) - len(self._tail)
        end = data.find(END, start)
        return None if end < 0 else end + len(END)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, Refused):
                raise error.__context__ from None
            raise Refused(400, NOT_HTTP) from None

    def on_url(self, url: bytes) -> None:
        """Parser callback: a part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser callback: one header line. Raises Refused."""
        name = name.lower()
        if name in FRAMING:
            self._frame(name, value.strip().lower())
        if len(self.headers) >= MAX_HEADER_LINES:
            raise _too_large(f"has more than {MAX_HEADER_LINES} lines")
        self.headers.append((name, value))

    def _frame(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self.length = int(value)  # the parser has checked: digits, only once, no Transfer-Encoding
        elif name == b"transfer-encoding":
            if value != b"chunked" or self.is_chunked:
                raise Refused(400, "Transfer-Encoding must be chunked")
            self.is_chunked = True
        elif name == b"expect":
            self.expects_continue = value == b"100-continue"
        else:
            self.is_compressed = value not in {b"", b"identity"}

    def on_headers_complete(self) -> None:
        """Parser callback: the head is complete."""
        self.method = self._parser.get_method().decode("ascii")
        self.version = self._parser.get_http_version()
        self.keep_alive = self.version == "1.1" and self._parser.should_keep_alive()

    def _finish(self) -> None:
        if not self.method:  # HTTP/2 with prior knowledge
            raise Refused(400, NOT_HTTP)
        if self.size > MAX_LINE_BYTES:
            lines = [len(self._url), *(len(name) + len(value) for name, value in self.headers)]
            if max(lines) > MAX_LINE_BYTES:
                raise _too_large(f"has a line larger than {MAX_LINE_BYTES} bytes")
        if self.is_chunked and self.version != "1.1":
            raise Refused(400, "Transfer-Encoding needs HTTP/1.1")
        try:
            target = httptools.parse_url(self._url)
        except httptools.HttpParserInvalidURLError:
            raise Refused(400, NOT_HTTP) from None
        if not target.path:
            raise Refused(400, NOT_HTTP)
        self.raw_path: bytes = target.path
        path = self.raw_path.decode("latin-1")
        self.path = urllib.parse.unquote(path) if "%" in path else path
        self.query: bytes = target.query or b""
        if len(self.query) > MAX_QUERY_BYTES:
            raise _too_large(f"has a query larger than {MAX_QUERY_BYTES} bytes")

    @property
    def is_small(self) -> bool:
        """Whether the body is passed on in one piece, and does not count in the memory budget."""
        return self.length <= SMALL_BODY_BYTES and not self.is_chunked

    def scope(self) -> dict[str, Any]:
        """The keys of the ASGI scope that come from the request."""
        return {
            "type": "http",
            "http_version": self.version,
            "method": self.method,
            "path": self.path,
            "raw_path": self.raw_path,
            "query_string": self.query,
            "headers": self.headers.copy(),
        }


@lru_cache(KNOWN_HEADS)
def known_head(content: bytes) -> Head:
    """The head with these bytes. Clients repeat theirs, and parsing takes 10 µs. Raises Refused."""
    head = Head()
    head.feed(content, 0)
    return head


def _too_large(what: str) -> Refused:
    return Refused(431, f"The request's head {what}", "head_bytes")
