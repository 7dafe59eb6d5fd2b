"""Run a request's work in the event loop, in a thread or in a separate process, depending on the body's size."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from service.protocols.work_process import WorkProcess

INLINE_BYTES = 16 * 2**10  # up to here the work takes well below a millisecond; a thread costs about 50 µs
THREAD_BYTES = 64 * 2**10  # takes 4 ms, during which the thread holds the GIL; the process costs 300 µs
MOST_INFLATED = 1032  # zlib's maximum compression ratio
THREADS = 2  # at once; they compete with the event loop for the GIL
Answer = TypeVar("Answer")

PROCESS = WorkProcess()
_limiter: RunVar[CapacityLimiter] = RunVar("threads for large requests")


async def work_on(
    content: bytes, work: Callable[[], Answer], *, is_compressed: bool = False, parsed_bytes: int | None = None
) -> Answer:
    """Run `work` for a request body, without blocking the event loop for milliseconds. Raises what `work` raises.

    work: picklable. parsed_bytes: length of the JSON in the body, if not all of it.
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
