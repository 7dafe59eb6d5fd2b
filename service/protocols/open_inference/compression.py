"""Compression with gzip and deflate: inflate requests up to a limit, compress responses if the client accepts it."""

import re
import zlib

from service.inference.errors import BadInput, BodyTooLarge, UnsupportedMedia

WINDOW_BITS = {"gzip": 31, "deflate": 15}  # deflate is zlib's format: RFC 9110, 8.4.1.2
FASTEST = 1  # zlib's level; numbers as text compress little better at higher levels


def inflate(content: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decompress a body to at most `max_bytes`. Raises UnsupportedMedia, BodyTooLarge, or BadInput if damaged."""
    encoding = encoding.removeprefix("x-")  # x-gzip is gzip: RFC 9110, 8.4.1.3
    if encoding not in WINDOW_BITS:
        raise UnsupportedMedia("Content-Encoding must be gzip or deflate")
    inflater = zlib.decompressobj(WINDOW_BITS[encoding])
    try:
        inflated = inflater.decompress(content, max_bytes + 1)
    except zlib.error:
        raise BadInput(f"The body is not {encoding}, as its Content-Encoding says") from None
    if len(inflated) > max_bytes:
        raise BodyTooLarge(f"The body is larger than {max_bytes} bytes when it is inflated")
    if not inflater.eof or inflater.unused_data:
        raise BadInput(f"The {encoding} body {'continues after its end' if inflater.eof else 'is cut short'}")
    return inflated


def deflate(content: bytes, encoding: str) -> bytes:
    """Compress a body with gzip or deflate."""
    deflater = zlib.compressobj(FASTEST, wbits=WINDOW_BITS[encoding])
    return deflater.compress(content) + deflater.flush()


def negotiate(accepted: str) -> str | None:
    """The supported encoding with the highest weight in an Accept-Encoding header; None for no compression."""
    weights: dict[str, float] = {}
    for item in accepted.lower().split(","):
        name, _, parameters = item.partition(";")
        found = re.search(r"q=(\d*\.?\d+)", parameters)
        weights[name.strip()] = float(found[1]) if found else 1.0
    liked = {name: weights.get(name, weights.get("*", 0.0)) for name in WINDOW_BITS}
    best = max(liked, key=liked.__getitem__)
    return best if liked[best] > 0 and liked[best] >= weights.get("identity", 0.0) else None
