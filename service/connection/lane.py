"""Fast lane: answer plain requests for one forecast in the connection, without a task, ASGI messages or the framework.

It handles no errors: what it does not answer goes to the application, which answers as if there were no lane.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, Protocol

from service.connection.cold import ColdRequests
from service.connection.head import KNOWN_BYTES, KNOWN_HEADS, Head
from service.connection.writer import AnswerWriter
from service.inference.admission import Keys
from service.inference.errors import Unauthorized
from service.inference.forecast import Answering, answer
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.inference.together import answer_together
from service.protocols.protocol import Single
from service.telemetry.logs import REQUEST_ID
from service.telemetry.requests import RequestLog

MAX_BYTES = 4096  # a body of this size is parsed in microseconds
MAX_PATH = 200  # characters; the longest name of a model has 128
KNOWN_PATHS = 2048
JSON = b"application/json"
FORWARDED_FOR = b"x-forwarded-for"
OK = 200


class Target(NamedTuple):
    """What a path asks for. raw_path, route: the path without its prefix, and its template, for log and metrics."""

    name: str
    raw_path: bytes
    answering: Callable[[LiveModel, bytes], Answering[bytes]]
    unless: frozenset[bytes]
    route: str


class Admitted(NamedTuple):
    """A request whose head the lane accepts; its body may still be on the way."""

    target: Target
    headers: Mapping[bytes, bytes]
    head: Head


class Asking(Protocol):
    """Interface of the connection that a request comes from."""

    writer: AnswerWriter

    def end_lane(self, request: "LaneRequest", *, is_answered: bool) -> None:
        """Called when the lane has written the response, or nothing: then the application is to answer."""

    def hold(self, request: "LaneRequest") -> None:
        """Called when the lane answers later."""

    def release(self, request: "LaneRequest") -> bool:
        """Called before the lane answers a request that was held. Returns whether it still may."""


class LaneRequest(NamedTuple):
    """A whole request that the lane may answer. begun: when its head had arrived, of time.monotonic()."""

    lane: "Lane"
    connection: Asking
    client: tuple[str, int] | None
    admitted: Admitted
    body: bytes
    begun: float


class Lane:
    """Answers requests as the application would, byte for byte.

    root_path: prefix that a proxy may leave on the path. unless: names of headers that the middleware acts on.
    lines: of the headers that it adds to every response.
    """

    def __init__(
        self, lifecycle: Lifecycle, singles: Iterable[Single], log: RequestLog, *,
        max_bytes: int, root_path: str, keys: Keys | None, unless: Iterable[bytes], lines: bytes,
    ) -> None:  # fmt: skip
        self._lifecycle = lifecycle
        self._singles = tuple(singles)
        self._log = log
        self._max_bytes = min(max_bytes, MAX_BYTES)
        self._root_path = root_path.encode()
        self._keys = keys
        self._unless = frozenset(unless)
        self._lines = lines
        self._target_of = lru_cache(KNOWN_PATHS)(self._find)
        self._admitted_of = lru_cache(KNOWN_HEADS)(self._admit)
        self._cold = ColdRequests(lifecycle)
        self._is_open = True

    def close(self) -> None:
        """Admit no further request: the process stops, and the middleware closes the connections."""
        self._is_open = False

    def admit(self, head: Head) -> Admitted | None:
        """Admit a request if its response depends on nothing but its path, its body and the headers named here."""
        admitted = self._admitted_of(head) if head.size <= KNOWN_BYTES else self._admit(head)
        return admitted if admitted is not None and self._is_open and self._has_key(admitted.headers) else None

    def _admit(self, head: Head) -> Admitted | None:
        """Admit a request as far as its head alone decides it."""
        is_plain = head.method == "POST" and head.keep_alive and not head.query and not head.expects_continue
        if not is_plain or not 0 < head.length <= self._max_bytes:
            return None
        headers = dict(head.headers)
        if len(headers) < len(head.headers) or headers.get(b"content-type", JSON) != JSON:
            return None
        target = self._target_of(head.raw_path) if len(head.raw_path) <= MAX_PATH else None
        if target is None or not target.unless.isdisjoint(headers):
            return None
        return Admitted(target, headers, head)

    def _has_key(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request has an API key, if it needs one: without one it is refused before its body is read."""
        if self._keys is not None:
            try:
                self._keys.check(headers.get(b"authorization", b"").decode("latin-1"))
            except Unauthorized:
                return False
        return True

    def _find(self, raw_path: bytes) -> Target | None:
        """The target of a path, of any model's name: whether there is such a model is known when it answers."""
        if raw_path.startswith(self._root_path + b"/"):
            raw_path = raw_path.removeprefix(self._root_path)
        path = raw_path.decode("latin-1")
        for prefix, suffix, answering, unless in self._singles:
            name = path[len(prefix) : len(path) - len(suffix)]
            if path.startswith(prefix) and path.endswith(suffix) and name and "/" not in name:
                return Target(name, raw_path, answering, unless | self._unless, f"{prefix}{{name}}{suffix}")
        return None

    def answer(self, requests: Sequence[LaneRequest]) -> None:
        """Answer requests that came at the same time, and record them; give back those that it cannot answer."""
        by_name: dict[str, list[LaneRequest]] = {}
        for request in requests:
            by_name.setdefault(request.admitted.target.name, []).append(request)
        for name, asked in by_name.items():
            for request, response in zip(asked, self._respond(name, asked), strict=True):
                self._end(request, response)

    def answer_alone(self, request: LaneRequest) -> None:
        """As `answer`, for the latency of requests that come one by one."""
        self._end(request, self._respond_alone(request))

    def _respond_alone(self, request: LaneRequest) -> bytes | None:
        try:
            target = request.admitted.target
            model = self._lifecycle.live(target.name)
            return answer(model, target.answering(model, request.body))
        except Exception:  # noqa: BLE001  # the application then meets the same error and answers it
            return None

    def _respond(self, name: str, requests: Sequence[LaneRequest]) -> Sequence[bytes | None]:
        """The responses to requests for a model; None for those that the application is to answer."""
        try:
            model = self._lifecycle.live(name)
            return answer_together(
                model, [request.admitted.target.answering(model, request.body) for request in requests]
            )
        except Exception:  # noqa: BLE001  # as above
            return [None] * len(requests)

    def _end(self, request: LaneRequest, response: bytes | None) -> None:
        if response is not None:
            self._write(request, response)
            request.connection.end_lane(request, is_answered=True)
        elif self._waits(request):
            request.connection.hold(request)
        else:
            request.connection.end_lane(request, is_answered=False)

    def _waits(self, request: LaneRequest) -> bool:
        """Whether a request waits for its model, and is answered when it is loaded."""
        target, headers, _ = request.admitted
        if request.client is None or FORWARDED_FOR in headers:  # the middleware knows whose turn it is
            return False
        return self._cold.wait(target.name, request.client[0], partial(self._answer_held, request))

    def _answer_held(self, request: LaneRequest) -> None:
        if request.connection.release(request):
            response = self._respond_alone(request)
            if response is not None:
                self._write(request, response)
            request.connection.end_lane(request, is_answered=response is not None)

    def _write(self, request: LaneRequest, content: bytes) -> None:
        target, headers, head = request.admitted
        request_id = self._log.id_of(headers.get(b"x-request-id"))
        request.connection.writer.succeed(content, b"%bx-request-id: %b\r\n" % (self._lines, request_id))
        token = REQUEST_ID.set(request_id)
        seen = {"method": head.method, "raw_path": target.raw_path, "client": request.client}
        self._log.record(seen, target.route, OK, request.begun)
        REQUEST_ID.reset(token)
