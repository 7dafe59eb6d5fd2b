"""Zstandard decompression of request bodies: NixtlaClient compresses bodies larger than 1 MiB."""

from backports.zstd import ZstdDecompressor, ZstdError

from service.inference.errors import BadInput, BodyTooLarge, UnsupportedMedia


def decompress(content: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decompress a body to at most `max_bytes`. Raises UnsupportedMedia, BodyTooLarge, or BadInput if damaged.

    encoding: value of Content-Encoding; empty and "identity" mean not compressed.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return content
    if encoding != "zstd":
        raise UnsupportedMedia("Content-Encoding must be zstd here, or absent")
    decompressor = ZstdDecompressor()
    try:
        found = decompressor.decompress(content, max_bytes + 1)
    except ZstdError:
        raise BadInput("The body is not zstd, as its Content-Encoding says") from None
    if len(found) > max_bytes:
        raise BodyTooLarge(f"The body is larger than {max_bytes} bytes when it is decompressed")
    if not decompressor.eof or decompressor.unused_data:
        raise BadInput(f"The zstd body {'continues after its end' if decompressor.eof else 'is cut short'}")
    return found
