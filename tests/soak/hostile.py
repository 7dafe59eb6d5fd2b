"""Hostile clients, each in a separate process: `python -m tests.soak.hostile KIND PORT SECONDS`."""

import gzip
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle

MEGABYTES = 2**20
HEAD = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
FILE = b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /predict/mlp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
Client = Callable[[int], None]


@contextmanager
def connected(port: int, seconds: float = 20) -> Iterator[socket.socket]:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        yield connection


def ask(path: bytes, body: bytes, headers: bytes = b"", *, reads: bool = True) -> Client:
    """A client that sends one request, and reads the answer or leaves it unread."""

    def client(port: int) -> None:
        with connected(port) as connection:
            connection.sendall(HEAD % (path, len(body), headers) + body)
            while reads and connection.recv(2**20):
                break

    return client


def unread_files(port: int) -> None:
    connections = []
    for _ in range(66):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(OSError):
            connection.connect(("127.0.0.1", port))
            connection.sendall(FILE * 5)
        connections.append(connection)
    time.sleep(3)
    for connection in connections:
        connection.close()


def unfinished_bodies(port: int) -> None:
    connections = []
    for _ in range(60):
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
            connections.append(connection)
            connection.sendall(HEAD % (b"/predict/mlp", 16 * MEGABYTES, b"") + b" " * 15 * MEGABYTES)
    time.sleep(2)
    for connection in connections:
        connection.close()


def drips(port: int) -> None:
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for number, connection in enumerate(connections):
        connection.sendall(HEAD % (b"/predict/mlp", 4000, b"") if number % 2 else b"GET / HTTP/1.1\r\nA")
    for _ in range(6):
        time.sleep(0.5)
        for connection in connections:
            with suppress(OSError):
                connection.sendall(b" ")
    for connection in connections:
        connection.close()


def stream(*parts: bytes) -> Client:
    """A client that sends the first part once, then the second part as long as the server accepts it."""

    def client(port: int) -> None:
        with connected(port, 5) as connection:
            connection.sendall(parts[0])
            for _ in range(1000):
                connection.sendall(parts[1])

    return client


def many_heads(port: int) -> None:
    connections = []
    for _ in range(300):
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
            connection.sendall(b"GET / HTTP/1.1\r\n" + b"a: " + b"x" * 8000)
            connections.append(connection)
    time.sleep(2)
    for connection in connections:
        connection.close()


def pipelined(port: int) -> None:
    with connected(port) as connection:
        body = b'{"value": 5}'
        connection.sendall((HEAD % (b"/predict/mlp", len(body), b"") + body) * 3000)
        while connection.recv(2**20):
            pass


BURST, ROUNDS = 700, 5


@contextmanager
def many_connections(port: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(BURST)]


def burst(*requests: bytes) -> Client:
    """A client that sends a request on each of hundreds of connections in the same instant, and reads the answers."""

    def client(port: int) -> None:
        with many_connections(port) as connections:
            for _ in range(ROUNDS):
                for connection, request in zip(connections, cycle(requests), strict=False):
                    connection.sendall(request)
                for connection in connections:
                    connection.recv(2**20)

    return client


def bodies_that_end_at_once(port: int) -> None:
    body = b'{"windows":[' + b"[1,2,3,4,5]," * 1000 + b"[1,2,3,4,5]]}"
    with many_connections(port) as connections:
        for _ in range(ROUNDS):
            for part in (HEAD % (LSTM, len(body), b"") + body[:-1], body[-1:]):
                for connection in connections:
                    connection.sendall(part)
            for connection in connections:
                connection.recv(2**20)


def files_read_at_once(port: int) -> None:
    with many_connections(port) as connections:
        for connection in connections:
            connection.sendall(FILE)
        for _ in range(20):
            for connection in connections:
                connection.recv(2**17)


def cold_models(port: int) -> None:
    names = random.sample(range(COLD), BURST)
    burst(*(HEAD % (b"/predict/series-%05d-mlp" % name, len(VALUE), b"") + VALUE for name in names))(port)


ROWS = b",".join([b"[1.2345678901234,2.2345678901234,3.2345678901234,4.2345678901234,5.23456789012]"] * 100_000)
LSTM, MLP = b"/predict/lstm/batch", b"/predict/mlp"
V1, V2 = b"/v1/models/lstm:predict", b"/v2/models/lstm/infer"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
VALUE = b'{"value": 5}'
COLD = 800  # models series-00000-mlp and so on, where there are any
WRONG = [HEAD % (path, 2, b"") + b"{}" for path in (MLP, b"/predict/nowhere", b"/nowhere", V1, V2)]
LISTS = [b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/metrics", b"/models", b"/openapi.json", b"/v2")]
CLIENTS: dict[str, Client] = {
    "a full batch": ask(LSTM, b'{"windows":[' + ROWS + b"]}"),
    "a full batch unread": ask(LSTM, b'{"windows":[' + ROWS + b"]}", reads=False),
    "a batch whose last row is wrong": ask(LSTM, b'{"windows":[' + ROWS + b',[1,2,3,4,"x"]]}'),
    "unknown keys": ask(MLP, b"{" + b",".join(b'"%x":0' % i for i in range(1_400_000)) + b"}"),
    "16 MiB of numbers": ask(b"/predict/mlp/batch", b'{"values":[' + b"1," * 8_000_000 + b"1]}"),
    "16 MiB of lists": ask(LSTM, b'{"windows":[' + b"[]," * 5_000_000 + b"[]]}"),
    "nested deep": ask(MLP, b'{"value":' + b"[" * 8_000_000),
    "v1 rows": ask(V1, b'{"instances":[' + ROWS + b"]}"),
    "v2 escapes": ask(V2, b'{"inputs":[{"name":"' + b"\\u00e9" * 2_700_000 + b'"}]}'),
    "v2 strings": ask(V2, b'{"x":[' + b'"0123456789",' * 1_000_000 + b'""]}'),
    "v2 gzip bomb": ask(V2, gzip.compress(b"[" * 16 * MEGABYTES), b"Content-Encoding: gzip\r\n"),
    "an upgrade": ask(MLP, FILE, UPGRADE),
    "a long query": ask(MLP + b"?" + b"a&" * 30_000, b"{}"),
    "many header lines": ask(MLP, b"{}", b"a:\r\n" * 15_000),
    "a long Accept-Encoding": ask(V2, b"{}", b"Accept-Encoding: " + b"," * 60_000 + b"\r\n"),
    "openapi.json": stream(b"", b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20),
    "endless trailers": stream(CHUNKED + b"0\r\n", b"a:b\r\n" * 13_000),
    "tiny chunks": stream(CHUNKED, b"1\r\n \r\n" * 10_000),
    "endless chunks": stream(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "endless garbage": stream(b"x\r\n\r\n", b"x" * 65536),
    "files unread": unread_files,
    "bodies unfinished": unfinished_bodies,
    "drips": drips,
    "heads unfinished": many_heads,
    "pipelined": pipelined,
    "a burst of wrong requests": burst(*WRONG),
    "a burst of lists": burst(*LISTS),
    "a burst of bodies that end at once": bodies_that_end_at_once,
    "files read at once": files_read_at_once,
    "cold models": cold_models,
}


def main(arguments: list[str]) -> None:
    """Run clients of one kind, or with "any" of a random kind each time, for a number of seconds."""
    kind, port, seconds = arguments[0], int(arguments[1]), float(arguments[2])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = random.choice(sorted(CLIENTS)) if kind == "any" else kind
        with suppress(OSError):
            CLIENTS[name](port)


if __name__ == "__main__":
    main(sys.argv[1:])
