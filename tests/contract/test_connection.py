"""HTTP/1.1 connections of a real server: order of answers, framing, timeouts, memory and closing."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.contract.test_hostile import VALUE, connect, exchange, post, status_of
from tests.repository import CHECKOUT, SHIPPED
from tests.server import Server, free_port, running, wait_until_ready
from tests.waiting import PATIENCE, wait_for

MEGABYTES = 2**20
FILE = b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
CHUNKED = b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%b\r\n"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with short timeouts and a small memory budget."""
    options = ["--body-seconds", "1", "--answer-seconds", "1", "--keep-alive-seconds", "1.5"]
    memory = ["--memory-bytes", str(100 * MEGABYTES)]
    with running(tmp_path_factory.mktemp("short") / "log", *options, *memory) as server:
        yield server


def alive(body: bytes, *headers: bytes, path: bytes = b"/predict/mlp") -> bytes:
    return post(body, *headers, path=path).replace(b"Connection: close\r\n", b"")


def receive(connection: socket.socket, answers: int) -> bytes:
    """The bytes of this number of answers to single predictions."""
    received = b""
    while received.count(b'"extrapolated"') < answers or not received.endswith(b"}"):
        part = connection.recv(65536)
        assert part, received[-500:]
        received += part
    return received


@pytest.mark.parametrize("pause", [0, 0.2])
def test_an_offer_to_upgrade_is_ignored_and_the_body_is_never_a_request(short: Server, pause: float) -> None:
    inner = b"GET /models/mlp HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    with connect(short) as connection:
        for body in (VALUE, inner, VALUE):
            head, _, content = alive(body).partition(b"\r\n\r\n")
            connection.sendall(head + b"\r\n" + UPGRADE + b"\r\n")
            time.sleep(pause)
            connection.sendall(content)
        connection.sendall(post(VALUE))
        received = b"".join(iter(lambda: connection.recv(65536), b""))

    assert [status_of(b"HTTP/1.1 " + part) for part in received.split(b"HTTP/1.1 ")[1:]] == [200, 400, 200, 200]


@pytest.mark.parametrize("trailer", [b"Content-Type: text/plain", b"X-Request-ID: trailer", b"Connection: close"])
def test_a_trailer_is_no_header(short: Server, trailer: bytes) -> None:
    with connect(short) as connection:
        for _ in range(2):
            connection.sendall(CHUNKED % b"" + b"c\r\n" + VALUE + b"\r\n0\r\n" + trailer + b"\r\n\r\n")
            received = receive(connection, 1)
            assert status_of(received) == 200
            assert b"trailer" not in received


def test_endless_trailers_are_a_431_and_take_no_memory(short: Server) -> None:
    before = psutil.Process(short.process.pid).memory_info().rss

    answer = exchange(short, [CHUNKED % b"" + b"0\r\n", *[b"a:b\r\n" * 10_000] * 200])

    assert status_of(answer) == 431
    assert psutil.Process(short.process.pid).memory_info().rss - before < 20 * MEGABYTES


def test_thousands_of_pipelined_requests_are_all_answered_in_their_order(short: Server) -> None:
    requests = b"".join(alive(b'{"value": %d}' % (number % 10)) for number in range(3000))
    with connect(short) as connection:
        connection.sendall(requests)
        received = receive(connection, 3000)

    assert received.count(b"HTTP/1.1 200 OK") == 3000
    first = [part.partition(b'"prediction":')[2].partition(b",")[0] for part in received.split(b"HTTP/1.1 ")[1:21]]
    assert first[:10] == first[10:]
    assert len(set(first)) == 10


@pytest.mark.parametrize(
    ("behind", "status"),
    [(b"garbage\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000, 431), (alive(b" " * 99)[:-9], 408)],
)
def test_a_refusal_waits_for_the_answers_before_it(short: Server, behind: bytes, status: int) -> None:
    rows = b'{"values":[' + b"1," * 50_000 + b"1]}"

    answer = exchange(short, [alive(rows, path=b"/predict/mlp/batch") + FILE + behind])

    statuses = [status_of(b"HTTP/1.1 " + part) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 200, status]


@pytest.mark.parametrize("announced", [True, False])
def test_a_413_reaches_a_client_that_sends_first_and_reads_then(short: Server, *, announced: bool) -> None:
    body = b'{"windows": [' + b" " * 16 * MEGABYTES + b"]}"
    port = int(short.url.rpartition(":")[2])
    for _ in range(5):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
            content = body if announced else iter([body[i : i + 65536] for i in range(0, len(body), 65536)])
            headers = {"Content-Type": "application/json"} | ({} if announced else {"Transfer-Encoding": "chunked"})
            client.request("POST", "/predict/lstm/batch", content, headers, encode_chunked=not announced)
            assert client.getresponse().status == 413


PATHS = ["/", "/health/live", "/health/ready", "/v2/health/ready", "/models", "/metrics", "/docs", "/openapi.json"]


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/predict/mlp"])
def test_head_is_get_without_the_body(server: Server, path: str) -> None:
    with httpx.Client(base_url=server.url) as client:
        head, get = client.head(path), client.get(path)
        again = client.get("/health/live")

    volatile = {"date", "x-request-id", "content-length"} if path == "/metrics" else {"date", "x-request-id"}
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers.keys() == get.headers.keys()
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in get.headers.items() if k not in volatile
    }
    assert again.json() == {"status": "live"}


def test_an_idle_connection_stays_open_for_its_time_and_no_longer(short: Server) -> None:
    with connect(short) as connection:
        connection.sendall(alive(VALUE))
        receive(connection, 1)
        time.sleep(0.3)  # well within the 1.5 seconds of the service
        begin = time.monotonic()
        connection.sendall(alive(VALUE))
        receive(connection, 1)
        assert connection.recv(1) == b""
        assert time.monotonic() - begin > 1.4


def test_a_body_that_drips_ends_after_its_time(short: Server) -> None:
    def drip() -> Iterator[bytes]:
        yield b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n"
        for _ in range(3999):  # more than the test has time for
            yield b" "
            time.sleep(0.2)

    assert status_of(exchange(short, drip())) in {408, 0}


def test_clients_that_do_not_read_are_ended_and_cost_the_others_nothing(short: Server) -> None:
    silent = [socket.socket() for _ in range(70)]
    for connection in silent:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(short.url.rpartition(":")[2])))
        with suppress(ConnectionError):
            connection.sendall(FILE * 5)

    with httpx.Client(base_url=short.url) as client:
        statuses = {client.post("/predict/mlp", content=VALUE).status_code for _ in range(50)}
        assert (statuses, client.get("/metrics").status_code) == ({200}, 200)
    deadline = time.monotonic() + PATIENCE
    while len(psutil.Process(short.process.pid).net_connections("tcp")) > 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(psutil.Process(short.process.pid).net_connections("tcp")) <= 3
    for connection in silent:
        connection.close()


def test_bodies_beyond_the_memory_budget_are_a_429_before_they_are_read(short: Server) -> None:
    before = psutil.Process(short.process.pid).memory_info().rss
    head = b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\n\r\n"
    held = list[socket.socket]()

    def is_refused() -> bool:
        """On a busy machine the second that bodies have may be over before the last one is sent."""
        for connection in held:
            connection.close()
        held[:] = [connect(short) for _ in range(8)]
        for connection in held:
            with suppress(ConnectionError):
                connection.sendall(head + b" " * 8 * MEGABYTES)
        refused = exchange(short, [head])
        return status_of(refused) == 429 and b"\r\nretry-after: 1\r\n" in refused

    wait_for(is_refused)
    single = exchange(short, [post(VALUE)])
    grown = psutil.Process(short.process.pid).memory_info().rss - before
    for connection in held:
        connection.close()

    assert status_of(single) == 200
    assert grown < 100 * MEGABYTES
    assert 'lagcast_refused_requests_total{limit="memory_bytes"}' in httpx.get(f"{short.url}/metrics").text


def test_a_half_closed_connection_is_answered(short: Server) -> None:
    with connect(short) as connection:
        connection.sendall(alive(VALUE))
        connection.shutdown(socket.SHUT_WR)

        assert status_of(b"".join(iter(lambda: connection.recv(65536), b""))) == 200


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    port = free_port()
    command = [sys.executable, "-m", "service", "--port", str(port), "--models-dir", str(SHIPPED), "--access-log"]
    environment = os.environ | {"LAGCAST_DRAIN_SECONDS": "0"}
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stderr=writing)
    os.close(writing)
    try:
        server = Server(f"http://127.0.0.1:{port}", process, tmp_path)
        wait_until_ready(server)
        with connect(server) as connection:
            for _ in range(10):
                connection.sendall(alive(VALUE) * 700)
                receive(connection, 700)
        dropped = [
            line for line in httpx.get(f"{server.url}/metrics").text.splitlines() if "dropped_log_lines_t" in line
        ]
        assert float(dropped[-1].rsplit(" ", 1)[1]) > 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(reading)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["drips", "does not read"])
def test_the_process_ends_within_its_time_whatever_a_client_does(kind: str, workers: str, tmp_path: Path) -> None:
    request = FILE * 5 if kind == "does not read" else post(b" " * 4000)[:-4000]
    patient = ("--body-seconds", "600", "--answer-seconds", "600")
    with running(tmp_path / "log", "--workers", workers, "--shutdown-seconds", "1", *patient) as server:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
        with client:
            client.sendall(request)
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=PATIENCE) == 0

    assert "Traceback" not in server.log.read_text()


def test_a_second_signal_ends_the_process_without_an_error_in_the_log(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--drain-seconds", "600") as server, connect(server) as client:
        client.sendall(post(VALUE)[:-3])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE) == 0

    log = server.log.read_text()
    assert "CancelledError" not in log
    assert '"level":"error"' not in log
