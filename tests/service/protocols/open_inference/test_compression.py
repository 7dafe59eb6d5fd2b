import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.errors import BadInput, BodyTooLarge, UnsupportedMedia
from service.protocols.open_inference.compression import deflate, inflate, negotiate

BODIES: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
LIMIT = 1000


@given(content=st.binary(max_size=LIMIT), encoding=st.sampled_from(list(BODIES)))
def test_what_is_compressed_comes_back_as_it_was(content: bytes, encoding: str) -> None:
    assert inflate(BODIES[encoding](content), encoding, LIMIT) == content
    assert inflate(deflate(content, encoding), encoding, LIMIT) == content


@pytest.mark.parametrize("encoding", BODIES)
@pytest.mark.parametrize("size", [LIMIT + 1, 50 * 2**20])
def test_a_body_is_inflated_to_the_limit_and_no_further(encoding: str, size: int) -> None:
    bomb = BODIES[encoding](b"\0" * size)

    with pytest.raises(BodyTooLarge, match="larger than 1000 bytes when it is inflated"):
        inflate(bomb, encoding, LIMIT)


@pytest.mark.parametrize("encoding", BODIES)
@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda body: body[:-1], "is cut short"),
        (lambda body: body + b"x", "continues after its end"),
        (lambda _: b"{}", "is not"),
        (lambda _: b"", "is cut short"),
    ],
)
def test_a_damaged_body_is_refused(encoding: str, damage: Callable[[bytes], bytes], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        inflate(damage(BODIES[encoding](b"{}")), encoding, LIMIT)


def test_x_gzip_is_gzip() -> None:
    assert inflate(BODIES["gzip"](b"{}"), "x-gzip", LIMIT) == b"{}"


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", ""])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMedia, match="must be gzip or deflate"):
        inflate(b"", encoding, LIMIT)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("GZIP; Q=1", "gzip"),
        ("*", "gzip"),
        ("br", None),
        ("", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=.5, identity", None),
        ("*, gzip;q=0", "deflate"),
        ("gzip;q=nonsense", "gzip"),
    ],
)
def test_the_encoding_that_the_client_likes_best_is_chosen(accepted: str, chosen: str | None) -> None:
    assert negotiate(accepted) == chosen
