"""Request heads, split in every possible way."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.connection.head import Head, known_head
from service.connection.limits import MAX_HEAD_BYTES, MAX_HEADER_LINES, MAX_LINE_BYTES, MAX_QUERY_BYTES, Refused

HEAD = b"POST /predict/m%6Cp?version=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX-A: \xe9\r\n\r\n"


def read(*parts: bytes) -> tuple[Head, int | None]:
    head, stop = Head(), None
    for part in parts:
        stop = head.feed(part, 0)
    return head, stop


@given(cuts=st.lists(st.integers(1, len(HEAD) - 1), unique=True), behind=st.binary(max_size=9))
def test_a_head_is_the_same_however_it_is_cut(cuts: list[int], behind: bytes) -> None:
    bounds = [0, *sorted(cuts), len(HEAD)]
    parts = [HEAD[begin:end] for begin, end in pairwise(bounds)]
    whole, _ = read(HEAD)

    head, stop = read(*parts[:-1], parts[-1] + behind)

    assert stop == len(parts[-1])
    assert head.scope() == whole.scope()
    assert (head.path, head.raw_path, head.query, head.length) == (
        "/predict/mlp",
        b"/predict/m%6Cp",
        b"version=1",
        12,
    )


def test_a_head_that_has_come_before_is_as_new_whatever_the_application_has_done_to_it() -> None:
    whole, _ = read(HEAD)
    first = known_head(HEAD)
    first.scope()["headers"].clear()

    assert known_head(HEAD) is first
    assert first.scope() == whole.scope()


def test_an_offer_to_upgrade_changes_nothing_of_the_body() -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    head, _ = read(HEAD.replace(b"Host: x\r\n", b"Host: x\r\n" + offer))

    assert (head.length, head.is_chunked, head.keep_alive) == (12, False, True)


REFUSED = {
    "too many bytes": (b"GET / HTTP/1.1\r\nA: " + b"x" * MAX_HEAD_BYTES, 431),
    "a long line": (b"GET / HTTP/1.1\r\nA: " + b"x" * MAX_LINE_BYTES + b"\r\n\r\n", 431),
    "a long query": (b"GET /?" + b"a" * (MAX_QUERY_BYTES + 1) + b" HTTP/1.1\r\n\r\n", 431),
    "too many lines": (b"GET / HTTP/1.1\r\n" + b"a:\r\n" * (MAX_HEADER_LINES + 1) + b"\r\n", 431),
    "another transfer coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
    "a transfer coding behind an upgrade": (
        b"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        400,
    ),
    "two transfer codings": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "a length and chunks": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
    "a tunnel": (b"CONNECT a:443 HTTP/1.1\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 400),
    "line ends without CR": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "a folded line": (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_head_that_must_not_be_taken_is_refused_as_soon_as_it_is_seen(kind: str) -> None:
    content, status = REFUSED[kind]

    with pytest.raises(Refused) as caught:
        read(content)

    assert caught.value.status == status
    assert (caught.value.limit == "head_bytes") == (status == 431)


@given(content=st.binary(max_size=300))
def test_no_bytes_do_anything_but_make_a_head_or_a_refusal(content: bytes) -> None:
    with suppress(Refused):
        head, stop = read(content)
        assert stop is None or head.path
