"""Memory budget of a process, from the settings or the memory limit of its container."""

import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from service.connection.limits import MEMORY_PER_BODY_BYTE

CGROUP = Path("/sys/fs/cgroup")
CGROUP_FILES = ("memory.max", "memory/memory.limit_in_bytes")  # of versions 2 and 1
UNLIMITED = 2**60  # without a limit, version 1 says a little less than 2**63

DEFAULT_BYTES = 256 * 2**20
# Measured: a worker that has loaded its models and parsed a body of the largest size, and its parsing process.
WORKER_BYTES = 240 * 2**20
USABLE = 0.9  # of the container's limit


class TooLittleMemory(Exception):
    """One body of the maximum size would not fit; the text says what to set."""


def budget(memory_bytes: int | None, max_body_bytes: int, workers: int, files: Iterable[Path] | None = None) -> int:
    """Bytes for the bodies, work and answers of one process: the setting, or a share of the container's limit.

    Raises TooLittleMemory.
    """
    needed = max_body_bytes * MEMORY_PER_BODY_BYTE
    if memory_bytes is not None:
        if memory_bytes < needed:
            raise TooLittleMemory(
                f"LAGCAST_MEMORY_BYTES is {memory_bytes}, but one body of LAGCAST_MAX_BODY_BYTES takes {needed}"
            )
        return memory_bytes
    limit = read_limit(files or [CGROUP / name for name in CGROUP_FILES])
    share = UNLIMITED if limit is None else int(limit * USABLE / workers) - WORKER_BYTES
    if share < needed:
        raise TooLittleMemory(
            f"the container's limit of {limit} bytes leaves {max(0, share)} for the bodies of each of {workers} "
            f"workers, but one of LAGCAST_MAX_BODY_BYTES takes {needed}: lower that or the workers, or raise the limit"
        )
    return max(needed, min(DEFAULT_BYTES, share))


def read_limit(files: Iterable[Path]) -> int | None:
    """The lowest limit in the cgroup files, in bytes; None if there is none."""
    limits = []
    for file in files:
        with suppress(OSError, ValueError):  # absent, or "max"
            limits.append(int(file.read_text()))
    limit = min(limits, default=UNLIMITED)
    return limit if limit < UNLIMITED else None


def raise_file_limit() -> int:
    """Raise the soft limit of file descriptors to the hard one. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft if soft != resource.RLIM_INFINITY else os.sysconf("SC_OPEN_MAX")
