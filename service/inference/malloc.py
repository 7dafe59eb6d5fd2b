"""Settings of the C library's allocator, so that memory goes back to the system after large work."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def tune_malloc() -> None:
    """Let glibc give large blocks back to the system when they are freed; no effect with another C library."""
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)  # or each thread keeps a heap of its own
        libc.mallopt(M_MMAP_THRESHOLD, 2**18)  # set, it does not rise to 32 MiB by itself
        libc.mallopt(M_TRIM_THRESHOLD, 2**20)
