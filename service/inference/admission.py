"""Admission: API keys, and places for concurrent requests, independent of the protocol of a front end."""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.inference.errors import Overloaded, Unauthorized

logger = logging.getLogger("lagcast")

LOOK_SECONDS = 1.0  # between two looks at the keys file, which may have changed


class Places:
    """A limited number of requests at the same time; used from one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place while the context is open. Raises Overloaded if none is free."""
        if self._taken >= self._most:
            raise Overloaded(f"{self._most} requests are at work; try again")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


class Keys:
    """The API keys in a file, which is read again when it changes; if it cannot be read, the last keys stay valid.

    Raises InvalidKeysFile, or OSError, if it cannot be read at first.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._modified = file.stat().st_mtime_ns
        self._digests = read_key_digests(file)
        self._next_look = 0.0

    def check(self, authorization: str) -> None:
        """Raise Unauthorized unless an Authorization header, `Bearer KEY`, has one of the keys."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            self._look()
        scheme, _, key = authorization.partition(" ")
        digest = hashlib.sha256(key.strip().encode("latin-1")).hexdigest()
        # Compare with all of them: the time must not depend on which one matches.
        known = [hmac.compare_digest(digest, other) for other in self._digests]
        if scheme.lower() != "bearer" or not any(known):
            raise Unauthorized("An API key is needed: send it as 'Authorization: Bearer KEY'")

    def _look(self) -> None:
        try:
            modified = self._file.stat().st_mtime_ns
            if modified != self._modified:
                self._digests = read_key_digests(self._file)
                self._modified = modified
                logger.info("read the API keys again: %d", len(self._digests))
        except (OSError, InvalidKeysFile) as error:
            logger.warning("cannot read the API keys again, the last ones stay valid: %s", error)


class InvalidKeysFile(Exception):
    """A file of API keys that cannot be read; the text names the file and the line."""


def read_key_digests(file: Path) -> list[str]:
    """The SHA-256 digests in a file of API keys: in hex, one per line, comments after #. Raises InvalidKeysFile."""
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
        raise InvalidKeysFile(f"{file}: has no key, so that every request would be refused")
    return digests
