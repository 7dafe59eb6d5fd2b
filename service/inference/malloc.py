"""Tune the C library's allocator so that memory is returned to the system after large requests."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def tune_malloc(mmap_bytes: int = 2**18, trim_bytes: int = 2**20) -> None:
    """Make glibc return what is freed to the system: blocks of `mmap_bytes` at once, the end of the heap from
    `trim_bytes` on. No effect with other C libraries.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)  # otherwise each thread has a heap of its own
        libc.mallopt(M_MMAP_THRESHOLD, mmap_bytes)  # a fixed value; by itself it rises to 32 MiB
        libc.mallopt(M_TRIM_THRESHOLD, trim_bytes)
