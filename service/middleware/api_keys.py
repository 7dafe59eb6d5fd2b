"""API keys: 401 without `Authorization: Bearer KEY` of a known key, except for the page, which asks for one."""

import hashlib
import hmac
import logging
import re
import time
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.inference.errors import Unauthorized
from service.middleware.unlimited import is_unlimited
from service.protocols.http_errors import to_response

logger = logging.getLogger("lagcast")


PAGES = frozenset({"/", "/docs"})
PAGE_FILES = ("/static/", "/static-offline-docs/")


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
        if is_unlimited(scope) or _is_page(scope) or self._is_known(Headers(scope=scope).get("authorization", "")):
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


def _is_page(scope: Scope) -> bool:
    """Whether a request is for the page or the documents' page, or a file of theirs: they ask for the key."""
    path: str = scope["path"]
    return scope["method"] in {"GET", "HEAD"} and (path in PAGES or path.startswith(PAGE_FILES))


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
