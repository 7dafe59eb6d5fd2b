"""The model repository, `<name>/<version>/`: publish, verify, versions, pin; its checksums and its signature."""

import fcntl
import hashlib
import hmac
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from artifact.card import (
    KERAS_FILE,
    LITERT_FILE,
    MAX_FILE_BYTES,
    NAME_PATTERN,
    Artifact,
    ArtifactError,
    CardDraft,
    FileDigest,
    ModelCard,
)
from artifact.schema import read_card

CARD_FILE = "card.json"
SIGNATURE_FILE = "card.hmac"
PIN_FILE = "pin"


def names(models_dir: Path) -> list[str]:
    """Names of the models that have at least one version, sorted. Raises OSError if the repository cannot be read."""
    found = sorted(entry.name for entry in models_dir.iterdir() if re.fullmatch(NAME_PATTERN, entry.name))
    return [name for name in found if versions(models_dir, name)]


def versions(models_dir: Path, name: str) -> list[int]:
    """Published versions of a model, lowest first; empty where there are none."""
    try:
        names = [entry.name for entry in (models_dir / name).iterdir()]
    except OSError:
        return []
    return sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]{0,8}", name))


def verify(models_dir: Path, name: str, version: int, key: bytes | None = None) -> Artifact:
    """Read one version and hold every file to its card, and with a key the card to its signature.

    Raises ArtifactError if a file is missing, unreadable, outside the repository, or not what it should be.
    """
    folder = models_dir / name / str(version)
    content = _read(models_dir, folder / CARD_FILE)
    if key is not None and not hmac.compare_digest(_sign(content, key), _read(models_dir, folder / SIGNATURE_FILE)):
        raise ArtifactError(f"{name}/{version}/{SIGNATURE_FILE}: is not the signature of its card")
    card = read_card(content, _label(folder / CARD_FILE))
    if (card.name, card.version) != (name, version):
        raise ArtifactError(f"{name}/{version}/{CARD_FILE}: is the card of {card.name}/{card.version}")
    for required in (KERAS_FILE, LITERT_FILE):
        if required not in card.files:
            raise ArtifactError(f"{name}/{version}/{CARD_FILE}: lists no {required}")
    files = {file: _read_verified(models_dir, folder / file, digest) for file, digest in card.files.items()}
    return Artifact(card, files)


def read_key(file: Path | None) -> bytes | None:
    """The key that signs cards, without surrounding blanks; None without a file. Raises ArtifactError."""
    if file is None:
        return None
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise ArtifactError(f"{file}: {error.strerror}") from None
    if not key:
        raise ArtifactError(f"{file}: holds no key")
    return key


def _sign(card: bytes, key: bytes) -> bytes:
    return hmac.digest(key, card, "sha256").hex().encode()


def _read_verified(models_dir: Path, path: Path, digest: FileDigest) -> bytes:
    content = _read(models_dir, path)
    if len(content) != digest.size:
        raise ArtifactError(f"{_label(path)}: has {len(content)} bytes, its card says {digest.size}")
    if hashlib.sha256(content).hexdigest() != digest.sha256:
        raise ArtifactError(f"{_label(path)}: its sha256 is not the one on its card")
    return content


def _read(models_dir: Path, path: Path) -> bytes:
    try:
        inside = path.resolve().is_relative_to(models_dir.resolve())
    except RuntimeError:  # what Python before 3.13 says of links in a circle
        raise ArtifactError(f"{_label(path)}: is a link to itself") from None
    if not inside:
        raise ArtifactError(f"{_label(path)}: leads out of the repository")
    try:
        # Without O_NONBLOCK a pipe in the place of a file would hold up whoever opens it.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ArtifactError(f"{_label(path)}: is not a file")
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"{_label(path)}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise ArtifactError(f"{_label(path)}: is larger than {MAX_FILE_BYTES} bytes")
    return content


def _label(path: Path) -> str:
    """`name/version/file`: enough to find it, and nothing of the machine, for it may be shown to clients."""
    return "/".join(path.parts[-3:])


def fingerprint(models_dir: Path, name: str, version: int) -> tuple[tuple[str, int, int, int], ...]:
    """Name, inode, size and time of each file of a version: what differs once its files do; empty without any."""
    try:
        entries = sorted((models_dir / name / str(version)).iterdir())
        found = [(entry.name, entry.lstat()) for entry in entries]
    except OSError:
        return ()
    return tuple((file, status.st_ino, status.st_size, status.st_mtime_ns) for file, status in found)


def pinned(models_dir: Path, name: str) -> int | None:
    """The version that is to be live instead of the highest, if one is pinned."""
    try:
        content = _read(models_dir, models_dir / name / PIN_FILE)
        return int(content)
    except (ArtifactError, ValueError):
        return None


def pin(models_dir: Path, name: str, version: int, key: bytes | None = None) -> None:
    """Make a version live in the place of the highest, from now until `unpin`.

    Raises ArtifactError if the version is not good, OSError if the repository cannot be written.
    """
    verify(models_dir, name, version, key)
    folder = models_dir / name
    with _locked(folder):
        staging = folder / f".{PIN_FILE}"
        staging.unlink(missing_ok=True)
        _write_durably(staging, b"%d\n" % version)
        staging.rename(folder / PIN_FILE)
        _flush_folder(folder)


def unpin(models_dir: Path, name: str) -> None:
    """Let the highest good version be live again. Raises OSError if the repository cannot be written."""
    folder = models_dir / name
    with _locked(folder):
        (folder / PIN_FILE).unlink(missing_ok=True)
        _flush_folder(folder)


def publish(models_dir: Path, draft: CardDraft, files: Mapping[str, bytes], key: bytes | None = None) -> ModelCard:
    """Write the next version of a model, whole or not at all, signed if there is a key, and return its card.

    The version is written to a hidden folder beside the others, flushed to disk, and renamed into place.
    Raises OSError if the repository cannot be written.
    """
    folder = models_dir / draft.name
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        for leftover in folder.glob(".publish-*"):
            shutil.rmtree(leftover)
        card = _complete(draft, max(versions(models_dir, draft.name), default=0) + 1, files)
        content = card.model_dump_json(indent=2).encode() + b"\n"
        signature = {SIGNATURE_FILE: _sign(content, key)} if key is not None else {}
        staging = Path(tempfile.mkdtemp(prefix=".publish-", dir=folder))
        try:
            staging.chmod(0o755)
            for file, written in {**files, **signature, CARD_FILE: content}.items():
                _write_durably(staging / file, written)
            _flush_folder(staging)
            staging.rename(folder / str(card.version))
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        _flush_folder(folder)
    return card


def _complete(draft: CardDraft, version: int, files: Mapping[str, bytes]) -> ModelCard:
    digests = {
        file: FileDigest(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for file, content in files.items()
    }
    now = datetime.now(UTC).replace(microsecond=0)
    return ModelCard(**draft.model_dump(), version=version, created=now, files=digests)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One publisher at a time; the lock goes with the process that holds it, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
