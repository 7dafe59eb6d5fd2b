"""Workers: what they ask their parent, and that they serve its decisions."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from service.inference.engine import LiteRTEngine
from service.inference.follow import ParentsDecisions
from service.inference.lifecycle import Lifecycle
from tests.deciding import Deciding
from tests.repository import SHIPPED


@pytest.fixture
def pipe() -> Iterator[tuple[Connection, Connection]]:
    reading, writing = Pipe(duplex=False)
    with reading, writing:
        yield reading, writing


def fill(pipe: Connection) -> None:
    os.set_blocking(pipe.fileno(), False)
    with suppress(BlockingIOError):
        while True:
            pipe.send_bytes(b"of others")
    os.set_blocking(pipe.fileno(), True)


def test_a_worker_that_asks_does_not_wait_for_a_parent_that_does_not_read(
    pipe: tuple[Connection, Connection], tmp_path: Path
) -> None:
    reading, writing = pipe
    fill(writing)
    Deciding(SHIPPED, tmp_path)
    lifecycle = Lifecycle(LiteRTEngine)

    def ask() -> None:
        for number in range(1000):
            lifecycle.ask(f"m{number}", None)

    with ParentsDecisions(tmp_path, 0.2, writing).feeding(lifecycle):
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(60)
        is_waiting = asking.is_alive()
        received = [message for message in iter(reading.recv_bytes, b'["m999", null]') if message != b"of others"]

    assert not is_waiting
    assert received == [b'["m%d", null]' % number for number in range(999)]
