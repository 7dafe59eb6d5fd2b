"""Tune the C library's allocator so that memory is returned to the system after large requests."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def tune_malloc() -> None:
    """Make glibc return large blocks to the system when they are freed; no effect with other C libraries."""
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)  # otherwise each thread has a heap of its own
        libc.mallopt(M_MMAP_THRESHOLD, 2**18)  # a fixed value; by itself it rises to 32 MiB
        libc.mallopt(M_TRIM_THRESHOLD, 2**20)
