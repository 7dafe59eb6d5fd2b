"""Request bodies, split in every possible way; trailers are dropped."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.connection.body import ChunkedBody, SizedBody
from service.connection.limits import MAX_TRAILER_BYTES, Refused


def read(body: SizedBody | ChunkedBody, content: bytes, cuts: list[int]) -> tuple[bytes, bytes]:
    """The payload, and the bytes after the body."""
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(content)), len(content)]
    payload = b""
    for begin, end in pairwise(bounds):
        if body.is_whole:
            return payload, content[begin:]
        part, stop = body.feed(content[begin:end], 0)
        payload += part
        if body.is_whole:
            return payload, content[begin + stop :]
    return payload, b""


CUTS = st.lists(st.integers(1, 400), unique=True, max_size=30)


@given(payload=st.binary(min_size=1, max_size=200), behind=st.binary(max_size=20), cuts=CUTS)
def test_a_sized_body_is_the_same_however_it_is_cut(payload: bytes, behind: bytes, cuts: list[int]) -> None:
    body = SizedBody(len(payload))

    assert read(body, payload + behind, cuts) == (payload, behind)
    assert body.is_whole


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=60), max_size=5),
    trailers=st.lists(st.sampled_from([b"Content-Type: text/plain", b"Authorization: Bearer x", b"a:b"]), max_size=3),
    behind=st.binary(max_size=20),
    cuts=CUTS,
)
def test_a_chunked_body_is_its_chunks_however_it_is_cut(
    chunks: list[bytes], trailers: list[bytes], behind: bytes, cuts: list[int]
) -> None:
    framed = b"".join(b"%X;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    content = framed + b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"
    body = ChunkedBody()

    assert read(body, content + behind, cuts) == (b"".join(chunks), behind)
    assert body.is_whole


REFUSED = {
    "endless trailers": (b"0\r\n" + b"a:b\r\n" * MAX_TRAILER_BYTES, 431),
    "one endless trailer": (b"0\r\na:" + b"b" * 2 * MAX_TRAILER_BYTES, 431),
    "a size that is no number": (b"zz\r\n", 400),
    "a negative size": (b"-1\r\n", 400),
    "a size without CR": (b"1\na\r\n", 400),
    "an endless size": (b"0" * 1000, 400),
    "a huge size": (b"f" * 17 + b"\r\n", 400),
    "a chunk that is longer than its size": (b"1\r\nabc\r\n", 400),
    "a chunk whose line ends without CR": (b"1\r\na\n", 400),
    "many tiny chunks": (b"1\r\na\r\n" * 10_000, 400),
    "a trailer without CR": (b"0\r\na:b\n\r\n", 400),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_framing_that_must_not_be_taken_is_refused(kind: str, size: int) -> None:
    content, status = REFUSED[kind]
    body = ChunkedBody()

    with pytest.raises(Refused) as caught:
        read(body, content, list(range(size, len(content), size)))

    assert caught.value.status == status
