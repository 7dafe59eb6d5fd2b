"""Hostile requests: each gets a defined answer, and the service keeps serving other clients."""

import gzip
import json
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psutil
import pytest

from service.connection.limits import MAX_HEAD_BYTES
from tests.server import Server, running
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("hostile") / "log", "--body-seconds", "0.5") as server:
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=PATIENCE)


def exchange(server: Server, parts: Iterable[bytes]) -> bytes:
    """Send as much as the server accepts; return everything that it sends until it closes the connection."""
    with connect(server) as connection:
        answer = b""
        with suppress(ConnectionError):  # the server has closed the connection
            for part in parts:
                connection.sendall(part)
        with suppress(ConnectionResetError):
            while received := connection.recv(65536):
                answer += received
        return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def post(body: bytes, *headers: bytes, path: bytes = b"/predict/mlp") -> bytes:
    lines = [b"POST %b HTTP/1.1" % path, b"Host: x", b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return b"\r\n".join([*lines, b"", body])


def chunked(size: int) -> Iterator[bytes]:
    yield b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(size // 65536):
        yield b"10000\r\n" + b" " * 65536 + b"\r\n"


VALUE = b'{"value": 5}'
V1, V2 = b"/v1/models/lstm:predict", b"/v2/models/lstm/infer"
V2_SHAPE = b'{"inputs":[{"name":"window","shape":[%b],"datatype":"FP32","data":[1]}]}'
V2_DATA = b'{"inputs":[{"name":"window","shape":[1,5],"datatype":"FP32","data":%b}]}'
GET = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MEGABYTES = 2**20

HOSTILE: dict[str, tuple[list[bytes], set[int]]] = {
    "50 MB announced": ([b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 52428800\r\n\r\n"], {413}),
    "50 MB sent": ([post(b" " * 50 * MEGABYTES)], {413}),
    "nested 250,000 deep": ([post(b'{"value":' + b"[" * 250_000)], {400}),
    "nested objects 250,000 deep": ([post(b'{"value":' * 250_000)], {422}),
    "an integer of 10,000 digits": ([post(b'{"value":' + b"9" * 10_000 + b"}")], {400}),
    "a fraction of 10,000 digits": ([post(b'{"value":5.' + b"0" * 10_000 + b"}")], {200}),
    "an exponent of 10,000 digits": ([post(b'{"value":1e' + b"9" * 10_000 + b"}")], {422}),
    "NaN": ([post(b'{"value":NaN}')], {422}),
    "1e999": ([post(b'{"value":1e999}')], {422}),
    "1e39": ([post(b'{"value":1e39}')], {422}),
    "bad UTF-8": ([post(b'{"value\xff":5}')], {400}),
    "a lone surrogate": ([post(b'{"value\\ud800":5}')], {400, 422}),
    "a byte order mark": ([post(b"\xef\xbb\xbf" + VALUE)], {400}),
    "a NUL": ([post(b'{"value":5}\x00')], {400}),
    "the same key twice": ([post(b'{"value":1,"value":5}')], {200}),
    "a gzip bomb": ([post(b"\x1f\x8b" + b"\0" * 1000, b"Content-Encoding: gzip")], {415}),
    "an unknown encoding": ([post(VALUE, b"Content-Encoding: zstd, br, gzip")], {415}),
    "a v2 tensor of too many lists": ([post(b'{"inputs":[' + b"[]," * 2_000_000, path=V2)], {400}),
    "a v2 shape of a million words": ([post(V2_SHAPE % (b'"",' * 400_000 + b'""'), path=V2)], {400}),
    "a v2 gzip bomb": ([post(gzip.compress(b"[" * 100 * MEGABYTES), b"Content-Encoding: gzip", path=V2)], {413}),
    "a v2 tensor nested 70 deep": ([post(V2_DATA % (b"[" * 70 + b"1" + b"]" * 70), path=V2)], {400}),
    "v1 instances of too many lists": ([post(b'{"instances":[' + b"[0]," * 2_000_000 + b"[0]]}", path=V1)], {400}),
    "v1 instances nested 70 deep": ([post(b'{"instances":' + b"[" * 70 + b"1" + b"]" * 70 + b"}", path=V1)], {400}),
    "an index of 16 MB": ([post(b"[" + b"[]," * 5_000_000 + b"[]]", path=b"/v2/repository/index")], {400}),
    "multipart": ([post(VALUE, b"Content-Type: multipart/form-data; boundary=x")], {415}),
    "a huge header": ([b"GET / HTTP/1.1\r\nX: " + b"x" * 20 * MAX_HEAD_BYTES], {431}),
    "a thousand headers": ([b"GET / HTTP/1.1\r\n", *[b"X-%d: %b\r\n" % (n, b"x" * 999) for n in range(1000)]], {431}),
    "a huge path": ([b"GET /" + b"x" * 20 * MAX_HEAD_BYTES], {431}),
    "an odd method": ([b"BREW /predict/mlp HTTP/1.1\r\nHost: x\r\n\r\n"], {400, 405}),
    "CONNECT": ([b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"], {400, 404, 405}),
    "TRACE": ([b"TRACE /predict/mlp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"], {405}),
    "no HTTP": ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], {400}),
    "HTTP/2 prior knowledge": ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], {400, 405}),
    "two lengths": ([post(VALUE, b"Content-Length: 5")], {400}),
    "a length and chunks": ([post(VALUE, b"Transfer-Encoding: chunked")], {400}),
    "a negative length": ([b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"], {400}),
    "a length in words": ([b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n"], {400}),
    "a bad chunk": ([b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], {400}),
    "a body that does not come": ([b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n"], {408}),
    "a body that stops": ([b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"], {408}),
    "a path out of the root": ([GET % b"/../../etc/passwd"], {404}),
    "an encoded path out of the root": ([GET % b"/static-offline-docs/%2e%2e/%2e%2e/core.py"], {404}),
    "a double-encoded path": ([GET % b"/static-offline-docs/%252e%252e/core.py"], {404}),
    "a path with a NUL": ([GET % b"/static-offline-docs/%00"], {404}),
    "a model's name with a path": ([GET % b"/models/..%2f..%2fetc"], {404}),
    "a path of another spelling": ([GET % b"//predict//mlp"], {404}),
    "a whole address": (
        [b"GET http://elsewhere/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
        {200, 404},
    ),
    "an odd host": ([b"GET /health/live HTTP/1.1\r\nHost: a:b@c/../d\r\nConnection: close\r\n\r\n"], {200}),
    "no host": ([b"GET /health/live HTTP/1.0\r\n\r\n"], {200}),
    "a smuggled line break": ([b"GET /health/live HTTP/1.1\r\nX: a\nY: b\r\nConnection: close\r\n\r\n"], {200, 400}),
    "a websocket": ([GET[:-2] % b"/predict/mlp" + b"Upgrade: websocket\r\n\r\n"], {405}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_request_gets_its_answer_in_json_and_the_next_client_too(hardened: Server, kind: str) -> None:
    parts, allowed = HOSTILE[kind]

    answer = exchange(hardened, parts)

    assert status_of(answer) in allowed, answer[:300]
    head, _, body = answer.partition(b"\r\n\r\n")
    if status_of(answer) >= 400:
        assert b"content-type: application/json" in head.lower()
        assert json.loads(body).keys() <= {"detail", "error"}
    assert b"Traceback" not in answer
    assert status_of(exchange(hardened, [post(VALUE)])) == 200


def test_an_endless_body_in_chunks_is_cut_off(hardened: Server) -> None:
    before = psutil.Process(hardened.process.pid).memory_info().rss

    answer = exchange(hardened, chunked(200 * MEGABYTES))

    assert status_of(answer) in {0, 413}  # 0: the answer was lost, since the client kept sending
    assert psutil.Process(hardened.process.pid).memory_info().rss - before < 50 * MEGABYTES


def test_hundreds_of_slow_bodies_and_heads_do_not_keep_others_waiting(hardened: Server) -> None:
    before = psutil.Process(hardened.process.pid).memory_info().rss
    started = [b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{", b"POST /predict/mlp HT"]
    slow = [connect(hardened) for _ in range(300)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(started[number % 2])

        answers = [exchange(hardened, [post(VALUE)]) for _ in range(50)]
        late = slow[0].recv(65536)
    finally:
        for connection in slow:
            connection.close()

    assert {status_of(answer) for answer in answers} == {200}
    assert status_of(late) == 408
    assert psutil.Process(hardened.process.pid).memory_info().rss - before < 50 * MEGABYTES


def test_pipelined_requests_are_answered_in_their_order(hardened: Server) -> None:
    bodies = [b'{"value": %d}' % number for number in range(200)]
    requests = [post(body).replace(b"Connection: close\r\n", b"") for body in bodies[:-1]] + [post(bodies[-1])]

    answer = exchange(hardened, [b"".join(requests)])

    predictions = [json.loads(part.partition(b"}")[0] + b"}")["prediction"] for part in answer.split(b"\r\n\r\n")[1:]]
    assert predictions == pytest.approx([1.8 * number - 1.2 for number in range(200)], abs=0.2)


def test_a_slow_head_is_a_408_in_the_end(hardened: Server) -> None:
    def drip() -> Iterator[bytes]:
        for byte in b"GET /health/live HTTP/1.1":
            yield bytes([byte])
            time.sleep(0.1)

    begun, silent = exchange(hardened, drip()), exchange(hardened, [])

    assert status_of(begun) == 408
    assert json.loads(begun.partition(b"\r\n\r\n")[2])["detail"].startswith("No more of the request")
    assert silent == b""
