"""The limits of the HTTP connections of one process, and the reasons of their constants."""

from typing import NamedTuple

MAX_HEAD_BYTES = 64 * 2**10
MAX_HEADER_LINES = 100  # as many as Apache httpd takes; 15,000 lines in 60 KB took 75 KB of memory a connection
MAX_LINE_BYTES = 8 * 2**10  # request line and each header, as in nginx and Apache httpd
MAX_QUERY_BYTES = 4 * 2**10  # 60 KB of `a&a&…` take 24 ms of the event loop

MAX_TRAILER_BYTES = 8 * 2**10
MAX_CHUNK_LINE_BYTES = 256
SPARE_FRAMING_BYTES = 16 * 2**10  # chunk framing may take so much, and an eighth of the body beyond that

LEAST_RATE = (
    16 * 2**10
)  # bytes a second that a body must arrive with, and an answer be read with, beyond its first time
LINGER_SECONDS = 5.0  # how long to read on after a refusal, as nginx's lingering_timeout
LINGER_BYTES = 64 * 2**20

BACKLOG_BYTES = 64 * 2**10  # read ahead while a request is being answered
SMALL_BODY_BYTES = 16 * 2**10  # handed on in one piece, and outside of the memory budget
INFLATION = 1032  # the most that zlib makes of one byte
# A body is held in parts and as a whole, then as an array, and its answer beside it.
MEMORY_PER_BODY_BYTE = 3


class Refused(Exception):
    """A request that the connection answers itself, with this status and text, and then ends."""

    def __init__(self, status: int, detail: str, limit: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.limit = limit


class ConnectionLimits(NamedTuple):
    """Seconds and bytes that a deployment may set.

    request_seconds: for a whole head, and between two parts of a body.
    answer_seconds: for a client to read more of an answer.
    keep_alive_seconds: between two requests.
    memory_bytes: for bodies being read or worked on and answers not yet read, all connections together.
    """

    request_seconds: float
    answer_seconds: float
    keep_alive_seconds: float
    max_body_bytes: int
    memory_bytes: int
    max_connections: int
