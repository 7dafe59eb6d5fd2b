"""Where the work of a request is done: in the event loop, in a thread, or in a process of its own, by its size."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from service.protocols.work_process import WorkProcess

INLINE_BYTES = 16 * 2**10  # a body of this size takes well below a millisecond; a thread costs about 50 µs
THREAD_BYTES = 64 * 2**10  # takes 4 ms, for which a thread keeps the event loop waiting; the process costs 300 µs
MOST_INFLATED = 1032  # bytes that zlib makes of one
THREADS = 2  # at work at once: each keeps the event loop waiting in turn
Answer = TypeVar("Answer")

PROCESS = WorkProcess()
_limiter: RunVar[CapacityLimiter] = RunVar("threads for large requests")


async def work_on(
    content: bytes, work: Callable[[], Answer], *, is_compressed: bool = False, parsed_bytes: int | None = None
) -> Answer:
    """Do the work for a body where it does not hold up the event loop for milliseconds.

    work: picklable. parsed_bytes: how much of the body is JSON, if not all.
    """
    size = len(content) if parsed_bytes is None else parsed_bytes
    if is_compressed:
        size = max(size, len(content) * MOST_INFLATED)
    if size > THREAD_BYTES:
        return await run_sync(partial(PROCESS.run, work), limiter=_threads())
    if len(content) > INLINE_BYTES or is_compressed:
        return await run_sync(work, limiter=_threads())
    return work()


def _threads() -> CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(limiter := CapacityLimiter(THREADS))
        return limiter
