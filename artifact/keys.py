"""Card keys: sign a card or a pin with HMAC-SHA256, and verify a signature against all accepted keys."""

import hmac
from collections.abc import Sequence
from pathlib import Path

from artifact.card import ArtifactError


def read_keys(file: Path | None) -> tuple[bytes, ...]:
    """Read the card keys from a file, one per line: the first one signs, all are accepted. Empty without a file.

    To rotate the key, write the new one above the old one, sign everything again, then remove the old one.
    Raises ArtifactError if the file cannot be read or has no key.
    """
    if file is None:
        return ()
    try:
        content = file.read_bytes().strip()
    except OSError as error:
        raise ArtifactError(f"{file}: {error.strerror}") from None
    keys = [line.strip() for line in content.splitlines() if line.strip()]
    if not keys:
        raise ArtifactError(f"{file}: holds no key")
    # A key of random bytes may contain a line break: signatures made with the whole file as key stay valid.
    return (*keys, content) if len(keys) > 1 else (keys[0],)


def read_key(file: Path | None) -> bytes | None:
    """The signing key: the first of `read_keys`, or None without a file. Raises ArtifactError."""
    return next(iter(read_keys(file)), None)


def sign(content: bytes, key: bytes) -> bytes:
    """HMAC-SHA256 of the content, in hex."""
    return hmac.digest(key, content, "sha256").hex().encode()


def is_signed(content: bytes, signature: bytes, keys: Sequence[bytes]) -> bool:
    """Whether one of the keys made the signature. Compared in constant time."""
    return any(hmac.compare_digest(sign(content, key), signature.strip()) for key in keys)
