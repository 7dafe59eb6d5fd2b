"""Run the work for a request inline, or in a thread where it would hold up the event loop."""

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

INLINE_BYTES = 16 * 2**10
Answer = TypeVar("Answer")


async def work_on(content: bytes, work: Callable[[], Answer], *, is_compressed: bool = False) -> Answer:
    """Do the work that a body asks for, in a thread if it would hold up the event loop for milliseconds."""
    if len(content) > INLINE_BYTES or is_compressed:  # what comes compressed can be of any size
        return await run_in_threadpool(work)
    return work()
