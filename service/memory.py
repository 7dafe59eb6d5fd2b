"""Memory budget of a process, from the settings or the memory limit of its container."""

import os
import resource
from contextlib import suppress

from service.connection.limits import MEMORY_PER_BODY_BYTE
from service.telemetry.cgroup import limited_groups

DEFAULT_BYTES = 256 * 2**20
# Measured as PSS after a body of the largest size to each worker: 217 MiB for one process with its parsing and
# self-test processes, 462 MiB for two workers with theirs and the parent.
WORKER_BYTES = 240 * 2**20
USABLE = 0.9  # of the container's limit


class TooLittleMemory(Exception):
    """One body of the maximum size would not fit; the text says what to set."""


def memory_limit() -> int | None:
    """Lowest memory limit of the control groups of this process, in bytes; None if there is none."""
    return min((group.limit for group in limited_groups()), default=None)


def budget(memory_bytes: int | None, max_body_bytes: int, workers: int, limit: int | None) -> int:
    """Bytes for the bodies, work and answers of one process: the setting, or a share of `limit`, the container's.

    Raises TooLittleMemory.
    """
    needed = max_body_bytes * MEMORY_PER_BODY_BYTE
    if memory_bytes is not None:
        if memory_bytes < needed:
            raise TooLittleMemory(
                f"LAGCAST_MEMORY_BYTES is {memory_bytes}, but one body of LAGCAST_MAX_BODY_BYTES takes {needed}"
            )
        return memory_bytes
    if limit is None:
        return max(needed, DEFAULT_BYTES)
    share = int(limit * USABLE / workers) - WORKER_BYTES
    if share < needed:
        raise TooLittleMemory(
            f"the container's limit of {limit} bytes leaves {max(0, share)} for the bodies of each of {workers} "
            f"workers, but one of LAGCAST_MAX_BODY_BYTES takes {needed}: lower that or the workers, or raise the limit"
        )
    return max(needed, min(DEFAULT_BYTES, share))


def raise_file_limit() -> int:
    """Raise the soft limit of file descriptors to the hard one. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft if soft != resource.RLIM_INFINITY else os.sysconf("SC_OPEN_MAX")
