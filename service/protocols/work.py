"""Run the work of a request inline, or in a thread if it would block the event loop."""

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

INLINE_BYTES = 16 * 2**10  # a body of this size takes well below a millisecond; a thread costs about 50 µs
Answer = TypeVar("Answer")


async def work_on(content: bytes, work: Callable[[], Answer], *, is_compressed: bool = False) -> Answer:
    """Do the work for a body, in a thread if it could block the event loop for milliseconds."""
    if len(content) > INLINE_BYTES or is_compressed:  # a compressed body can inflate to any size
        return await run_in_threadpool(work)
    return work()
