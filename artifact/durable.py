"""Durable file writes: flushed to disk, renamed into place, readable by every user whatever the umask."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o644, 0o755  # the service may run as a different user than the publisher


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, readable by every user; existing folders are not changed. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(FOLDER_MODE)


def write(path: Path, content: bytes) -> None:
    """Write a new file and flush it to disk. Raises FileExistsError if it exists, OSError if it cannot be written."""
    with path.open("xb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes) -> None:
    """Replace a file atomically: write a temporary file, flush it, rename it. Raises OSError."""
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    staging.unlink(missing_ok=True)
    try:
        write(staging, content)
        staging.rename(path)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename survives a power failure. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Exclusive lock on a folder (flock): one writer at a time. The kernel releases it if the process crashes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
