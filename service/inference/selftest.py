"""The self-test of an artifact, in a process of its own: a damaged network can crash or hang whoever loads it."""

import atexit
import base64
import hashlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

from artifact import Artifact, ArtifactError, ModelCard, check_golden
from service.inference.engine import ENGINES, unrunnable

COMMAND = [sys.executable, "-m", "service.inference.selftest"]
SECONDS: float = 60  # TensorFlow, if it is asked for, takes a quarter of that to import on a slow machine
IDLE_SECONDS: float = 60  # a process takes 0.25 s of CPU to start, and 50 MB as long as it stays
NICENESS = 5  # a third of the share that the requests have, which do not wait for it
LITERT_BYTES = 4 * 2**30  # of address space: a tensor can be declared larger than the machine


def self_test(artifact: Artifact, engine: str) -> str | None:
    """None, if the engine loads the artifact and repeats its golden samples, or what is wrong with it."""
    key = hashlib.sha256(f"{engine} {artifact.card.model_dump_json()}".encode()).hexdigest()
    if key in PASSED:
        return None
    reason = TESTER.ask(artifact, engine)
    if reason is None:
        PASSED.add(key)
    return reason


class Tester:
    """The process that tests: started when it is needed, and ended by itself when it was not for a while."""

    def __init__(self) -> None:
        self._running: _Running | None = None
        self._fresh_until = 0.0
        atexit.register(self.stop)

    def ask(self, artifact: Artifact, engine: str) -> str | None:
        """What the process says of the artifact, or how the artifact has ended it."""
        if self._running is None or time.monotonic() > self._fresh_until:
            self.stop()
            self._running = _start()
        self._fresh_until = time.monotonic() + IDLE_SECONDS / 2
        try:
            return _exchange(self._running.connection, artifact, engine)
        except TimeoutError:
            end = f"is not done within {SECONDS:g} seconds"
        except (EOFError, ConnectionError):
            end = f"ends the process that runs it, {_name_end(self._running.process.wait())}"
        self.stop()
        return f"{artifact.card.name}/{artifact.card.version}/{ENGINES[engine].file}: {end}"

    def stop(self) -> None:
        """End the process; the next artifact starts another."""
        if self._running is not None:
            self._running.connection.close()
            self._running.process.kill()
            self._running.process.wait()
        self._running = None


class _Running(NamedTuple):
    process: subprocess.Popen[bytes]
    connection: Connection


def _start() -> _Running:
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        process = subprocess.Popen(
            [*COMMAND, str(number)], pass_fds=[number], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return _Running(process, Connection(ours.detach()))


def _exchange(connection: Connection, artifact: Artifact, engine: str) -> str | None:
    content = base64.b64encode(artifact.files[ENGINES[engine].file]).decode()
    request = {"engine": engine, "card": artifact.card.model_dump(mode="json"), "content": content}
    connection.send_bytes(json.dumps(request).encode())
    if not connection.poll(SECONDS):
        raise TimeoutError
    reason: str | None = json.loads(connection.recv_bytes())
    return reason


def _name_end(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


TESTER = Tester()
PASSED: set[str] = set()  # by the card, checksums included: what this process need not test again


def main(arguments: list[str]) -> None:
    """Test each artifact that comes in on the connection, and say null or what is wrong with it."""
    connection = Connection(int(arguments[0]))
    while connection.poll(IDLE_SECONDS):
        try:
            request = json.loads(connection.recv_bytes())
        except EOFError:
            return
        if request["engine"] == "litert":
            resource.setrlimit(resource.RLIMIT_AS, (LITERT_BYTES, LITERT_BYTES))
        signal.alarm(int(SECONDS) + 1)  # whoever asked may be gone by then, and this process must not run on
        connection.send_bytes(json.dumps(_test(request)).encode())
        signal.alarm(0)


def _test(request: dict[str, str]) -> str | None:
    engine = ENGINES[request["engine"]]
    artifact = Artifact(ModelCard.model_validate(request["card"]), {engine.file: base64.b64decode(request["content"])})
    try:
        with unrunnable(artifact, engine.file):
            check_golden(artifact.card, engine(artifact).predict)
    except ArtifactError as error:
        return str(error)
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
