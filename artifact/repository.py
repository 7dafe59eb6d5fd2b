"""Read the model repository, `<name>/<version>/`: list names and versions, read a version and verify it."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from artifact.card import KERAS_FILE, LITERT_FILE, MAX_FILE_BYTES, NAME_PATTERN, Artifact, ArtifactError, FileDigest
from artifact.keys import is_signed
from artifact.schema import read_card

CARD_FILE = "card.json"
SIGNATURE_FILE = "card.hmac"
LAST_VERSION = 999_999_999  # nine digits: every client can hold it in 32 bits
MAX_CARD_BYTES = 2**20  # the shipped cards have 20 KB; parsing takes about 25 times the bytes in memory
MAX_FILES = 16
FILE_PATTERN = r"card\.json|card\.hmac|model\.[a-z]+"
# Errors caused by the content of the repository; any other error may disappear at the next attempt.
LASTING_ERRORS = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO}


class Unreadable(Exception):
    """A read error that the content does not cause, and that may be temporary: permission, I/O, too many open files."""


class Content(NamedTuple):
    """The bytes of a version's files by name, and one checksum over all of them."""

    files: dict[str, bytes]
    sha256: str

    def pack(self) -> bytes:
        """All files as the bytes of one: creating files is the dearest part of storing small ones.

        A line with the size and the name of each file, then the files.
        """
        line = " ".join(f"{len(of)} {file}" for file, of in self.files.items())
        return b"".join((line.encode(), b"\n", *self.files.values()))

    @classmethod
    def unpack(cls, packed: bytes) -> "Content":
        """Read `pack`, with the checksum of what was found. Raises ValueError for bytes that are none of that kind."""
        first = packed.index(b"\n") + 1
        words, files = packed[: first - 1].decode().split(" "), {}
        for size, file in zip(words[::2], words[1::2], strict=True):
            files[file] = packed[first : first + int(size)]
            first += int(size)
        if first != len(packed):
            raise ValueError("there are more or fewer bytes than the first line says")
        return cls(files, checksum(files))


def names(models_dir: Path) -> list[str]:
    """Names of the models, sorted: folders that have at least one version or cannot be read.

    Raises OSError if the repository itself cannot be read.
    """
    found = []
    for name in sorted(entry.name for entry in models_dir.iterdir() if is_name(entry.name)):
        try:
            if has_versions(models_dir, name):
                found.append(name)
        except Unreadable:
            found.append(name)
    return found


def where_to_start(models_dir: Path) -> str:
    """Advice to append to an error message if the repository's folder does not exist, else an empty string."""
    if models_dir.exists():
        return ""
    return f"; start in the folder of the checkout, not in {Path.cwd()}, or name another repository with --models-dir"


def is_name(text: str) -> bool:
    """Whether a text is a valid model name: NAME_PATTERN."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def has_versions(models_dir: Path, name: str) -> bool:
    """Whether a model has at least one version. Raises Unreadable."""
    return any(map(is_version, _list_folder(models_dir / name, name)))


def list_versions(models_dir: Path, name: str) -> list[int]:
    """Published versions of a model, lowest first; empty if there are none. Raises Unreadable."""
    return sorted(int(entry) for entry in _list_folder(models_dir / name, name) if is_version(entry))


def versions(models_dir: Path, name: str) -> list[int]:
    """Published versions of a model, lowest first; empty if there are none, or the folder cannot be read."""
    try:
        return list_versions(models_dir, name)
    except Unreadable:
        return []


def is_version(text: str) -> bool:
    """Whether a folder's name is a version: 1 to LAST_VERSION, without leading zeros."""
    return re.fullmatch("[1-9][0-9]{0,8}", text, re.ASCII) is not None


def _list_folder(folder: Path, shown: str) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError as error:
        if error.errno in LASTING_ERRORS:
            return []
        raise Unreadable(f"{shown}: {error.strerror}") from None


Fingerprint = tuple[tuple[str, int, int, int, int], ...]


def fingerprint(models_dir: Path, name: str, version: int) -> Fingerprint | None:
    """Name, inode, size, mtime and ctime of a version's folder and files; None if it cannot be read.

    It changes whenever the content changes. The ctime detects a file that was repaired in place with its mtime
    restored, and a changed permission.
    """
    folder = models_dir / name / str(version)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        found.append((".", folder.stat()))
    except OSError:
        return None
    return tuple(sorted((file, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for file, s in found))


def read_version(models_dir: Path, name: str, version: int) -> Content:
    """Read all files of a version without verifying them.

    Raises ArtifactError if a file is outside the repository, too large or not a regular file; Unreadable if it cannot
    be read at the moment.
    """
    folder = models_dir / name / str(version)
    found = [file for file in _list_folder(folder, f"{name}/{version}") if re.fullmatch(FILE_PATTERN, file)]
    if len(found) > MAX_FILES:
        raise ArtifactError(f"{name}/{version}: has more than {MAX_FILES} files")
    files, inside = {}, _inside(models_dir)
    for file in sorted({*found, CARD_FILE}):
        limit = MAX_FILE_BYTES if file.startswith("model.") else MAX_CARD_BYTES
        files[file] = _read_inside(inside, folder / file, limit)
    return Content(files, checksum(files))


def checksum(files: dict[str, bytes]) -> str:
    """One SHA-256, in hex, over the names and contents of all files."""
    lines = [f"{file} {hashlib.sha256(content).hexdigest()}\n" for file, content in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_file(models_dir: Path, path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes inside the repository. Raises ArtifactError or Unreadable."""
    return _read_inside(_inside(models_dir), path, limit)


def _inside(models_dir: Path) -> str:
    """What the real path of every file in the repository starts with."""
    return os.path.join(os.path.realpath(models_dir), "")  # noqa: PTH118  # Path.resolve takes three times as long


def _read_inside(inside: str, path: Path, limit: int) -> bytes:
    if not os.path.realpath(path).startswith(inside):
        raise ArtifactError(f"{label(path)}: leads out of the repository")
    try:
        # Without O_NONBLOCK, opening a named pipe would block.
        content = _read_regular(path, os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), limit + 1)
    except OSError as error:
        kind = ArtifactError if error.errno in LASTING_ERRORS else Unreadable
        raise kind(f"{label(path)}: {error.strerror}") from None
    if len(content) > limit:
        raise ArtifactError(f"{label(path)}: is larger than {limit} bytes")
    return content


def _read_regular(path: Path, number: int, most: int) -> bytes:
    """Read up to `most` bytes of an open file, and close it. A file object would take as many system calls again."""
    try:
        status = os.fstat(number)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{label(path)}: is not a file")
        parts, left = [], min(status.st_size + 1, most)  # memory for so much is taken before anything is read
        while left and (part := os.read(number, left)):
            parts.append(part)
            left -= len(part)
    finally:
        os.close(number)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def label(path: Path) -> str:
    """A path as `name/version/file`: clients may see it, so it has none of the machine's folders."""
    return "/".join(path.parts[-3:])


def check_signature(content: Content, name: str, version: int, keys: Sequence[bytes]) -> None:
    """Raise ArtifactError if there are keys and none of them signed the card."""
    if not keys:
        return
    where = f"{name}/{version}/{SIGNATURE_FILE}"
    if SIGNATURE_FILE not in content.files:
        raise ArtifactError(f"{where}: No such file or directory")
    if not is_signed(content.files[CARD_FILE], content.files[SIGNATURE_FILE], keys):
        raise ArtifactError(f"{where}: is not the signature of its card")


def check_content(content: Content, name: str, version: int) -> Artifact:
    """Parse the card and check name, version, sizes and checksums against it. Raises ArtifactError."""
    where = f"{name}/{version}"
    card = read_card(content.files[CARD_FILE], f"{where}/{CARD_FILE}")
    if (card.name, card.version) != (name, version):
        raise ArtifactError(f"{where}/{CARD_FILE}: is the card of {card.name}/{card.version}")
    for required in (KERAS_FILE, LITERT_FILE):
        if required not in card.files:
            raise ArtifactError(f"{where}/{CARD_FILE}: lists no {required}")
    for file, digest in card.files.items():
        _check_file(f"{where}/{file}", content.files.get(file), digest)
    return Artifact(card, {file: content.files[file] for file in card.files})


def _check_file(where: str, content: bytes | None, digest: FileDigest) -> None:
    if content is None:
        raise ArtifactError(f"{where}: No such file or directory")
    if len(content) != digest.size:
        raise ArtifactError(f"{where}: has {len(content)} bytes, its card says {digest.size}")
    if hashlib.sha256(content).hexdigest() != digest.sha256:
        raise ArtifactError(f"{where}: its sha256 is not the one on its card")


def verify(models_dir: Path, name: str, version: int, key: bytes | None = None) -> Artifact:
    """Read a version and verify its checksums, and its card's signature if there is a key.

    Raises ArtifactError if a file is missing, unreadable, outside the repository, or differs from the card.
    """
    try:
        content = read_version(models_dir, name, version)
    except Unreadable as error:
        raise ArtifactError(str(error)) from None
    check_signature(content, name, version, () if key is None else (key,))
    return check_content(content, name, version)
