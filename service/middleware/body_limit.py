"""Maximum request body (413). The whole body is read before the application runs."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.inference.errors import BodyTooLarge
from service.middleware.unlimited import is_unlimited
from service.protocols.http_errors import to_response


class BodyLimit:
    """Reads the whole body, up to `max_bytes`, and passes it on as one message."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_unlimited(scope):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except BodyTooLarge as error:
            await to_response(error)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, replay({"type": "http.request", "body": body}, receive), send)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"The body is larger than {self._max_bytes} bytes")

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """Read the body; None if the client has disconnected. Raises BodyTooLarge."""
        if int(Headers(scope=scope).get("content-length", "0")) > self._max_bytes:
            raise self._too_large()
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)


def replay(message: Message, receive: Receive) -> Receive:
    """Put a message back: the returned `receive` gives it first."""
    messages = [message]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
