"""Card keys: sign a card or a pin with HMAC-SHA256, and verify it against every key that is accepted."""

import hmac
from collections.abc import Sequence
from pathlib import Path

from artifact.card import ArtifactError


def read_keys(file: Path | None) -> tuple[bytes, ...]:
    """The card keys in a file, one a line: the first one signs, all are accepted. Empty without a file.

    To change the key, write the new one above the old one, sign everything anew, then remove the old one.
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
    # A key of random bytes may contain a line break: what was signed with the whole file stays valid.
    return (*keys, content) if len(keys) > 1 else (keys[0],)


def read_key(file: Path | None) -> bytes | None:
    """The key that signs: the first of `read_keys`, or None without a file. Raises ArtifactError."""
    return next(iter(read_keys(file)), None)


def sign(content: bytes, key: bytes) -> bytes:
    """HMAC-SHA256 in hex."""
    return hmac.digest(key, content, "sha256").hex().encode()


def is_signed(content: bytes, signature: bytes, keys: Sequence[bytes]) -> bool:
    """Whether the signature is that of one of the keys."""
    return any(hmac.compare_digest(sign(content, key), signature.strip()) for key in keys)
