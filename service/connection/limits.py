"""Limits of the HTTP connections of one process, with the reason for each constant."""

from typing import NamedTuple

MAX_HEAD_BYTES = 64 * 2**10
MAX_HEADER_LINES = 100  # as in Apache httpd; 15,000 lines in 60 KB took 75 KB of memory per connection
MAX_LINE_BYTES = 8 * 2**10  # request line and each header, as in nginx and Apache httpd
MAX_QUERY_BYTES = 4 * 2**10  # 60 KB of `a&a&…` take 24 ms of the event loop

MAX_TRAILER_BYTES = 8 * 2**10
MAX_CHUNK_LINE_BYTES = 256
SPARE_FRAMING_BYTES = 16 * 2**10  # chunk framing may take this much plus an eighth of the body

LEAST_RATE = (
    16 * 2**10
)  # bytes per second: minimum rate of sending a body and of reading a response, after the time allowed at first
LINGER_SECONDS = 5.0  # how long to keep reading after an error response, as nginx's lingering_timeout
LINGER_BYTES = 64 * 2**20

BACKLOG_BYTES = 64 * 2**10  # most bytes read ahead while a request is processed
SMALL_BODY_BYTES = 16 * 2**10  # smaller bodies are passed on in one piece and do not count in the memory budget
INFLATION = 1032  # zlib's maximum compression ratio
# A body is in memory in parts and joined, then as an array together with its response.
MEMORY_PER_BODY_BYTE = 3


class Refused(Exception):
    """A request that the connection refuses with a status and a message before closing.

    limit: name of the exceeded limit, counted in the metric of refusals; None if no limit is involved.
    """

    def __init__(self, status: int, detail: str, limit: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.limit = limit


class ConnectionLimits(NamedTuple):
    """Connection limits that a deployment can set, in seconds and bytes.

    request_seconds: to send a whole head, and between two parts of a body.
    answer_seconds: without the client reading more of a response.
    keep_alive_seconds: between two requests.
    memory_bytes: of all connections: bodies being read or processed, and responses not yet read.
    """

    request_seconds: float
    answer_seconds: float
    keep_alive_seconds: float
    max_body_bytes: int
    memory_bytes: int
    max_connections: int
