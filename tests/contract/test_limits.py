"""Refusals over HTTP: each limit, exceeded on a real service with low settings."""

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.server import Server, Serving
from tests.waiting import PATIENCE

LARGE = {"values": [5.0] * 100_000}


def test_without_a_key_the_answer_is_401_and_with_one_it_is_the_prediction(serving: Serving, keys_file: Path) -> None:
    with httpx.Client(base_url=serving("--api-keys-file", keys_file).url) as client:
        refused = client.post("/predict/mlp", json={"value": 5}, headers={"Authorization": "Bearer wrong"})
        answered = client.post("/predict/mlp", json={"value": 5}, headers={"Authorization": "Bearer secret"})
        pages = [client.get(path, headers={"Accept": "text/html"}) for path in ("/", "/docs", "/static/main.js")]
        others = [client.get(path) for path in ("/models", "/openapi.json", "/metrics", "/static", "/docs/x")]

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json() == {"detail": "An API key is needed: send it as 'Authorization: Bearer KEY'"}
    assert answered.status_code == 200
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert [other.status_code for other in others] == [401] * len(others)


def test_a_body_that_stops_arriving_is_a_408_and_ends_the_connection(serving: Serving) -> None:
    server = serving("--body-seconds", "0.1")

    answer = exchange(server, b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert answer.endswith(b'{"detail":"No more of the request arrived within 0.1 seconds"}')


def exchange(server: Server, request: bytes) -> bytes:
    """Send bytes; return what the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=PATIENCE) as connection:
        connection.sendall(request)
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts)


def test_a_process_that_is_full_answers_429_with_retry_after(serving: Serving) -> None:
    server = serving("--max-concurrency", "1")

    def ask(_: int) -> httpx.Response:
        return httpx.post(f"{server.url}/predict/mlp/batch", json=LARGE)

    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(ask, range(40)))

    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {"detail": "1 requests are at work; try again"}


def test_work_beyond_the_deadline_is_a_504(serving: Serving) -> None:
    answer = httpx.post(f"{serving('--deadline-seconds', '0.001').url}/predict/mlp/batch", json=LARGE)

    assert answer.status_code == 504
    assert answer.json() == {"detail": "The work took longer than 0.001 seconds"}


FEW = ("--max-connections", "20")


def connect(server: Server, opened: ExitStack) -> http.client.HTTPConnection:
    """A connection that is never made anew, unlike those of httpx."""
    client = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE)
    client.connect()
    client.auto_open = 0
    opened.callback(client.close)
    return client


def ask(client: http.client.HTTPConnection) -> int:
    client.request("POST", "/predict/mlp", '{"value": 5}', {"Content-Type": "application/json"})
    response = client.getresponse()
    response.read()
    return response.status


def test_connections_that_never_send_a_request_do_not_end_one_that_does(serving: Serving) -> None:
    server = serving(*FEW)
    with ExitStack() as opened:
        client = connect(server, opened)
        statuses = [ask(client)]
        for _ in range(100):
            connect(server, opened).send(b"POST /predict/mlp")
        statuses.append(ask(client))

    assert statuses == [200, 200]


def test_connections_that_are_kept_open_make_room_for_new_ones(serving: Serving) -> None:
    server = serving(*FEW)
    with ExitStack() as opened:
        statuses = [ask(connect(server, opened)) for _ in range(100)]

    assert statuses == [200] * 100
