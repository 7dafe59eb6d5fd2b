"""Pins: the file `<name>/pin` selects the live version instead of the highest one; signed if there is a card key."""

import re
from collections.abc import Sequence
from pathlib import Path

from artifact import durable
from artifact.card import NAME_PATTERN, ArtifactError
from artifact.choice import Pin
from artifact.keys import is_signed, sign
from artifact.repository import LASTING_ERRORS, Unreadable, is_name, label, list_versions, read_file

PIN_FILE = "pin"
MAX_PIN_BYTES = 1024


def read_pin(models_dir: Path, name: str, keys: Sequence[bytes] = ()) -> Pin | None:
    """Read the pin of a model; None if there is none. An unusable pin is returned with its problem.

    Raises Unreadable if the model's folder does not exist: then it is unknown whether the model has a pin.
    """
    path = models_dir / name / PIN_FILE
    try:
        path.lstat()
    except OSError as error:
        if error.errno not in LASTING_ERRORS:
            return Pin(None, f"{name}/{PIN_FILE}: {error.strerror}")
        if not path.parent.is_dir():
            raise Unreadable(f"{name}: {error.strerror}") from None
        return None
    try:
        content = read_file(models_dir, path, MAX_PIN_BYTES)
    except (ArtifactError, Unreadable) as error:
        return Pin(None, str(error).replace(label(path), f"{name}/{PIN_FILE}"))
    return _parse(content, name, keys)


def _parse(content: bytes, name: str, keys: Sequence[bytes]) -> Pin:
    lines = content.split() or [b""]
    if not re.fullmatch(rb"[1-9][0-9]{0,8}", lines[0]):
        return Pin(None, f"{name}/{PIN_FILE}: holds no version number; write it with 'python -m artifact pin'")
    if keys and not (len(lines) > 1 and is_signed(_signed_text(name, int(lines[0])), lines[1], keys)):
        return Pin(None, f"{name}/{PIN_FILE}: is not signed with the card key; write it with 'python -m artifact pin'")
    return Pin(int(lines[0]))


def _signed_text(name: str, version: int) -> bytes:
    return f"pin {name} {version}".encode()


def pinned(models_dir: Path, name: str, keys: Sequence[bytes] = ()) -> int | None:
    """The pinned version; None without a pin, or if it is unusable or cannot be read."""
    try:
        pin = read_pin(models_dir, name, keys)
    except Unreadable:
        return None
    return None if pin is None else pin.version


def pin(models_dir: Path, name: str, version: int, keys: Sequence[bytes] = ()) -> None:
    """Write a pin, signed with the first key, readable by every user. The version itself is not verified.

    Raises ArtifactError if the version does not exist, OSError if the repository cannot be written.
    """
    check_published(models_dir, name, version)
    folder = models_dir / name
    signature = [sign(_signed_text(name, version), keys[0])] if keys else []
    with durable.locked(folder):
        durable.replace(folder / PIN_FILE, b"\n".join([b"%d" % version, *signature, b""]))


def check_published(models_dir: Path, name: str, version: int) -> None:
    """Raise ArtifactError if a model does not have a version; the message lists the existing versions."""
    _check_name(name)
    try:
        published = list_versions(models_dir, name)
    except Unreadable as error:
        raise ArtifactError(str(error)) from None
    if version not in published:
        there = f"there {'is' if len(published) == 1 else 'are'} {', '.join(map(str, published))}"
        raise ArtifactError(f"there is no {name}/{version}; {there if published else f'{name} has no version'}")


def unpin(models_dir: Path, name: str) -> None:
    """Remove a pin, if any. Raises ArtifactError for an unknown model, OSError if the repository cannot be written."""
    _check_name(name)
    folder = models_dir / name
    if not folder.is_dir():
        raise ArtifactError(f"there is no model {name}")
    with durable.locked(folder):
        (folder / PIN_FILE).unlink(missing_ok=True)
        durable.flush_folder(folder)


def _check_name(name: str) -> None:
    if not is_name(name):
        raise ArtifactError(f"{name} cannot be the name of a model: {NAME_PATTERN}")
