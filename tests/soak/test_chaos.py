"""Accidents with a stated maximum of failures: a killed process, exhausted descriptors, too many connections."""

import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.contract.test_hostile import VALUE, connect, exchange, post, status_of
from tests.repository import CHECKOUT, SHIPPED
from tests.server import Server, free_port, running, wait_until_ready

pytestmark = pytest.mark.soak


def idle(server: Server, count: int) -> list[socket.socket]:
    connections = []
    for _ in range(count):
        with suppress(OSError):
            connections.append(connect(server))
    return connections


def answers(server: Server, count: int) -> set[int]:
    return {status_of(exchange(server, [post(VALUE)])) for _ in range(count)}


def test_beyond_the_most_connections_the_idlest_end_and_new_ones_are_answered(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--max-connections", "50") as server:
        held = idle(server, 300)
        time.sleep(0.5)

        assert answers(server, 50) == {200}
        assert len(psutil.Process(server.process.pid).net_connections("tcp")) <= 52
        refused = httpx.get(f"{server.url}/metrics").text
        assert 'lagcast_refused_requests_total{limit="max_connections"}' in refused
        for connection in held:
            connection.close()


def test_descriptors_that_are_used_up_stop_nothing(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "service", "--port", str(port), "--models-dir", str(SHIPPED)]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=output)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (128, 128))
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        wait_until_ready(server)
        held = idle(server, 300)
        time.sleep(1)
        assert answers(server, 50) == {200}
        large = httpx.post(f"{server.url}/predict/mlp/batch", json={"values": [5.0] * 50_000})
        assert large.status_code == 200
        for connection in held:
            connection.close()
    finally:
        process.kill()
        process.wait()


def test_a_killed_worker_is_replaced_and_the_other_serves_on(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as server:
        workers = [c for c in psutil.Process(server.process.pid).children() if "spawn_main" in " ".join(c.cmdline())]
        workers[0].kill()
        time.sleep(0.2)

        assert answers(server, 100) == {200}
        assert f"the worker {workers[0].pid} has ended with -9" in _in_time(server, f"{workers[0].pid} has ended")


def _in_time(server: Server, text: str) -> str:
    deadline = time.monotonic() + 30
    while text not in server.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    return server.log.read_text()


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as server:
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.process.kill()

        _, alive = psutil.wait_procs(children, timeout=20)
        assert alive == []
