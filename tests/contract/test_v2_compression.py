"""Compressed bodies: only the infer route of the Open Inference Protocol v2 accepts and sends them."""

import gzip
import zlib
from collections.abc import Callable

import httpx
import pytest

LSTM = "/v2/models/lstm/infer"
BODY = b'{"inputs":[{"name":"window","shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]}]}'
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


def plain(client: httpx.Client) -> httpx.Response:
    return client.post(LSTM, content=BODY, headers={"Accept-Encoding": "identity"})


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_compressed_body_is_inflated(client: httpx.Client, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}

    answer = client.post(LSTM, content=COMPRESS[encoding](BODY), headers=headers)

    assert answer.json() == plain(client).json()


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_body_that_is_too_large_once_it_is_inflated_is_a_413(client: httpx.Client, encoding: str) -> None:
    bomb = COMPRESS[encoding](b" " * 200 * 2**20)

    answer = client.post(LSTM, content=bomb, headers={"Content-Encoding": encoding})

    assert answer.status_code == 413
    assert answer.json() == {"error": "The body is larger than 16777216 bytes when it is inflated"}


def test_a_damaged_body_is_a_400_and_an_unknown_encoding_a_415(client: httpx.Client) -> None:
    damaged = client.post(LSTM, content=b"{}", headers={"Content-Encoding": "gzip"})
    unknown = client.post(LSTM, content=b"{}", headers={"Content-Encoding": "br"})

    assert (damaged.status_code, list(damaged.json())) == (400, ["error"])
    assert (unknown.status_code, list(unknown.json())) == (415, ["error"])


@pytest.mark.parametrize("encoding", [*COMPRESS, "identity"])
def test_the_answer_is_compressed_as_the_client_asks(client: httpx.Client, encoding: str) -> None:
    answer = client.post(LSTM, content=BODY, headers={"Accept-Encoding": encoding})

    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.json() == plain(client).json()


def test_other_routes_take_and_give_nothing_compressed(client: httpx.Client) -> None:
    answer = client.post("/v2/repository/index", headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in answer.headers
