"""What a process takes on: one small ASGI layer for each limit, outermost first."""

import asyncio
import hashlib
import hmac
import logging
import re
import time
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import BodyTooLarge, DeadlineExceeded, Overloaded, Unauthorized, to_response

logger = logging.getLogger("lagcast")

UNLIMITED = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})


def _is_free(scope: Scope) -> bool:
    """Health is asked by those who must not be turned away."""
    return scope["type"] != "http" or scope["path"] in UNLIMITED


class ApiKeys:
    """Answers only those who send `Authorization: Bearer KEY` with a key whose sha256 is in the file.

    The file is looked at again every second; one that cannot be read leaves the keys as they were.
    """

    def __init__(self, app: ASGIApp, file: Path) -> None:
        self._app = app
        self._file = file
        self._modified = file.stat().st_mtime_ns
        self._digests = read_key_digests(file)
        self._next_look = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_free(scope) or self._is_known(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
        else:
            error = Unauthorized("An API key is needed: send it as 'Authorization: Bearer KEY'")
            await to_response(error)(scope, receive, send)

    def _is_known(self, authorization: str) -> bool:
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + 1
            self._look()
        scheme, _, key = authorization.partition(" ")
        digest = hashlib.sha256(key.strip().encode("latin-1")).hexdigest()
        # All of them, whether or not one has matched: the time taken tells nothing.
        known = [hmac.compare_digest(digest, other) for other in self._digests]
        return scheme.lower() == "bearer" and any(known)

    def _look(self) -> None:
        try:
            modified = self._file.stat().st_mtime_ns
            if modified != self._modified:
                self._digests = read_key_digests(self._file)
                self._modified = modified
                logger.info("read the API keys anew: %d", len(self._digests))
        except (OSError, InvalidKeysFile) as error:
            logger.warning("the API keys stay as they were: %s", error)


class InvalidKeysFile(Exception):
    """A file of API keys that cannot be read; the text names the file and the line."""


def read_key_digests(file: Path) -> list[str]:
    """The sha256 digests in a file of API keys, one a line, in hex, comments after #. Raises InvalidKeysFile."""
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidKeysFile(f"{file}: {getattr(error, 'strerror', 'is not text')}") from None
    digests = []
    for number, line in enumerate(lines, 1):
        digest = line.partition("#")[0].strip().lower()
        if digest and not re.fullmatch("[0-9a-f]{64}", digest):
            raise InvalidKeysFile(f"{file}, line {number}: is not a sha256 in hex")
        if digest:
            digests.append(digest)
    if not digests:
        raise InvalidKeysFile(f"{file}: holds no key; nobody could ask")
    return digests


class BodyLimit:
    """Takes in the whole body, up to so many bytes, before anything else is done."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_free(scope):
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
        """The body, or None if the client has gone."""
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
    """`receive` with a message that was taken from it put back."""
    messages = [message]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


class Deadline:
    """Answers 504 when the work takes longer; the work itself goes on to its end, unheard."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_free(scope):
            await self._app(scope, receive, send)
            return
        started = False
        refusal: asyncio.Task[None] | None = None

        async def send_in_time(message: Message) -> None:
            nonlocal started
            if refusal is None:
                started = True
                await send(message)

        def give_up() -> None:
            nonlocal refusal
            if not started:  # an answer that is on its way takes as long as its reader does
                error = DeadlineExceeded(f"The work took longer than {self._seconds:g} seconds")
                refusal = asyncio.ensure_future(to_response(error)(scope, receive, send))

        timer = asyncio.get_running_loop().call_later(self._seconds, give_up)
        try:
            await self._app(scope, receive, send_in_time)
        finally:
            timer.cancel()
            if refusal is not None:
                await refusal


class Concurrency:
    """Turns away what comes while so many requests are at work; a place is free again when its work has ended."""

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self._app = app
        self._max_requests = max_requests
        self._at_work = 0

    @property
    def is_full(self) -> bool:
        return self._at_work >= self._max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_free(scope):
            await self._app(scope, receive, send)
        elif self.is_full:
            error = Overloaded(f"{self._max_requests} requests are at work; try again")
            await to_response(error)(scope, receive, send)
        else:
            self._at_work += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._at_work -= 1
