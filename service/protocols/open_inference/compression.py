"""Compressed bodies: inflated under a cap, and deflated for the client that asks for it."""

import re
import zlib

from service.inference.errors import BadInput, BodyTooLarge, UnsupportedMedia

WINDOW_BITS = {"gzip": 31, "deflate": 15}  # deflate is zlib's format: RFC 9110, 8.4.1.2
FASTEST = 1


def inflate(content: bytes, encoding: str, max_bytes: int) -> bytes:
    """A body of this Content-Encoding. Raises UnsupportedMedia, BodyTooLarge, or BadInput if it is damaged."""
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
        raise BadInput(f"The {encoding} body {'goes on after its end' if inflater.eof else 'is cut short'}")
    return inflated


def deflate(content: bytes, encoding: str) -> bytes:
    """The body in one of the encodings that are known here."""
    deflater = zlib.compressobj(FASTEST, wbits=WINDOW_BITS[encoding])
    return deflater.compress(content) + deflater.flush()


def negotiate(accepted: str) -> str | None:
    """The encoding that an Accept-Encoding header likes best, of those that are known here; None for none of them."""
    weights: dict[str, float] = {}
    for item in accepted.lower().split(","):
        name, _, parameters = item.partition(";")
        found = re.search(r"q=(\d*\.?\d+)", parameters)
        weights[name.strip()] = float(found[1]) if found else 1.0
    liked = {name: weights.get(name, weights.get("*", 0.0)) for name in WINDOW_BITS}
    best = max(liked, key=liked.__getitem__)
    return best if liked[best] > 0 and liked[best] >= weights.get("identity", 0.0) else None
