"""Long JSON lists, sent in parts, between which other requests are answered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from fastapi import Response
from fastapi.responses import StreamingResponse

MEDIA_TYPE = "application/json"


def respond(entries: Iterator[bytes], most: int, before: bytes = b"[", after: bytes = b"]") -> Response:
    """Respond with a list of entries, each of them JSON. A list of `most` entries or more is streamed in such parts.

    before, after: what the list is embedded in.
    """
    first = list(islice(entries, most))
    if len(first) < most:
        return Response(before + b",".join(first) + after, media_type=MEDIA_TYPE)
    return StreamingResponse(_stream(first, entries, most, before, after), media_type=MEDIA_TYPE)


async def _stream(
    part: list[bytes], rest: Iterator[bytes], most: int, before: bytes, after: bytes
) -> AsyncIterator[bytes]:
    while part:
        yield before + b",".join(part)
        await asyncio.sleep(0)  # a client that reads fast never makes the response wait
        part, before = list(islice(rest, most)), b","
    yield after
