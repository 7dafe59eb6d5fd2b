"""A real service in a separate process on a loopback port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.repository import CHECKOUT, SHIPPED


class Server(NamedTuple):
    """A running service: its URL, its process and its log file."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


Serving = Callable[..., Server]
"""Takes options of the service and gives one that runs with them; see the fixture `serving`."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    log: Path,
    *arguments: str | Path,
    models_dir: Path = SHIPPED,
    python: str | Path = sys.executable,
    **environment: str,
) -> Iterator[Server]:
    """Start `python -m service`, wait until it is ready; end it with SIGTERM on exit."""
    port = free_port()
    command = [str(python), "-m", "service", "--port", str(port), "--models-dir", str(models_dir), *arguments]
    with log.open("wb") as output:
        variables = os.environ | {"LAGCAST_DRAIN_SECONDS": "0"} | environment
        process = subprocess.Popen(command, cwd=CHECKOUT, env=variables, stdout=output, stderr=output)
        try:
            server = Server(f"http://127.0.0.1:{port}", process, log)
            wait_until_ready(server)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=120)


def wait_until_ready(server: Server, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=server.url) as client:
        while time.monotonic() < deadline:
            assert server.process.poll() is None, server.log.read_text()
            with suppress(httpx.TransportError):
                if client.get("/health/ready").status_code == 200:
                    return
            time.sleep(0.02)
    raise TimeoutError(server.log.read_text())
