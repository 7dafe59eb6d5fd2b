"""Fast path: answer plain predictions and forecasts of one row without the framework; pass on all other requests."""

from types import SimpleNamespace

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.inference.lifecycle import Lifecycle
from service.middleware.body_limit import replay
from service.protocols.native.codec import answer_single
from service.protocols.native.forecasts import answer_forecast
from service.protocols.paths import FORECAST, PREDICT

ANSWERS = {PREDICT: answer_single, FORECAST: answer_forecast}
ROUTES = {
    prefix: SimpleNamespace(path=f"{prefix}{{name}}") for prefix in ANSWERS
}  # in the form of the framework's routes
MAX_BYTES = 4096  # a body of this size arrives in one piece and is parsed in microseconds
LENGTH_DIGITS = 4
UNUSUAL = {b"content-encoding", b"transfer-encoding"}


class FastPath:
    """Answers a valid POST /predict/{name} or /forecast/{name} as `app` would, byte for byte, at less cost.

    It handles no errors: a request that it cannot answer goes to `app`, with the body that was read.
    """

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle, max_bytes: int) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._max_bytes = min(max_bytes, MAX_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")  # none in a lifespan
        begin = path.find("/", 1) + 1
        prefix, name = path[:begin], path[begin:]
        if prefix not in ANSWERS or "/" in name or not _is_plain(scope):
            await self._app(scope, receive, send)
            return
        message = await receive()
        answer = self._answer(prefix, name, message)
        if answer is None:
            await self._app(scope, replay(message, receive), send)
            return
        scope["route"] = ROUTES[prefix]
        headers = [(b"content-length", b"%d" % len(answer)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, prefix: str, name: str, message: Message) -> bytes | None:
        content = message.get("body")
        if not content or message.get("more_body") or len(content) > self._max_bytes:
            return None
        try:
            return ANSWERS[prefix](self._lifecycle.live(name), content)
        except Exception:  # noqa: BLE001  # the framework then meets the same error and answers it
            return None


def _is_plain(scope: Scope) -> bool:
    """Whether the answer depends on nothing but path and body."""
    if scope["method"] != "POST" or scope["query_string"]:
        return False
    for name, value in scope["headers"]:
        if (name == b"content-type" and value != b"application/json") or name in UNUSUAL:
            return False
        if name == b"content-length" and len(value) > LENGTH_DIGITS:  # a 413 is sent before the body has arrived
            return False
    return True
