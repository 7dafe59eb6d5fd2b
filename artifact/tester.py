"""Client of the self-test process: is a version good, bad or unknown?

Bad: a reproducible fault of the network itself: a wrong forecast, an error, or the same crash twice.
Unknown: the process was killed, hangs or cannot start, which proves nothing about the network.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

LITERT_LOADER = "artifact.litert:LiteRTNetwork"
START_SECONDS: float = 60  # importing TensorFlow, if the loader needs it, takes a quarter of this on a slow machine
NICENESS = 5  # about a third of the CPU share of the requests, which have clients waiting
FRESH_SECONDS: float = 30  # after this the process may be about to exit: half of selftest.IDLE_SECONDS
CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL}


class Verdict(NamedTuple):
    """Result of a self-test: the version is good if `bad` and `unknown` are None, else one has the reason.

    stage: the check that failed, "verification" or "self-test".
    """

    bad: str | None = None
    unknown: str | None = None
    stage: str = "self-test"


class Question(NamedTuple):
    """A version to test: the file of its packed content, its name and number, and the time limit in seconds."""

    content: Path
    name: str
    version: int
    seconds: float


class _Process(NamedTuple):
    process: subprocess.Popen[bytes]
    connection: Connection


class SelfTester:
    """Runs one self-test process, started on demand, and one question at a time.

    loader: `module:attribute` of the class that runs the network; see `artifact.selftest`.
    """

    def __init__(self, loader: str) -> None:
        self._command = [sys.executable, "-m", "artifact.selftest"]
        self._loader = loader
        self._running: _Process | None = None
        self._fresh_until = 0.0
        self._question: Question | None = None
        self._deadline = 0.0
        self._crash: int | None = None
        self._is_ready = False
        atexit.register(self.stop)

    @property
    def pending(self) -> Question | None:
        """The unanswered question, or None."""
        return self._question

    def ask(self, question: Question, wait: float) -> Verdict | None:
        """Start a test. Returns the verdict if it arrives within `wait` seconds, else None: call `poll` later."""
        self._question, self._crash = question, None
        self._send(question)
        return self.poll(wait)

    def poll(self, wait: float) -> Verdict | None:
        """The verdict on the pending question if it arrives within `wait` seconds, else None."""
        until = time.monotonic() + wait
        verdict = None
        while self._question is not None and verdict is None:
            verdict = self._poll(self._question, until)
            if verdict is not None:
                self._question = None
            elif time.monotonic() >= until:
                break
        return verdict

    def drop(self) -> Verdict:
        """Cancel the pending question and end the process. Returns an unknown verdict."""
        self.stop()
        question, self._question = self._question, None
        where = "" if question is None else f"{question.name}/{question.version}: "
        return Verdict(unknown=f"{where}the self-test was interrupted for a more urgent one")

    def stop(self) -> None:
        """End the process; the next question starts a new one."""
        if self._running is not None:
            self._running.connection.close()
            self._running.process.kill()
            self._running.process.wait()
        self._running = None
        self._is_ready = False

    def _send(self, question: Question) -> None:
        """Send the question to the process, after starting one if it has ended or may be about to."""
        if self._running is None or self._running.process.poll() is not None or time.monotonic() > self._fresh_until:
            self.stop()
            with suppress(OSError):  # no memory, or too many processes or open files: `_poll` says unknown
                self._running = _start(self._command, self._loader)
        self._fresh_until = time.monotonic() + FRESH_SECONDS
        self._deadline = time.monotonic() + question.seconds + (0 if self._is_ready else START_SECONDS)
        request = question._asdict() | {"content": str(question.content)}
        with suppress(OSError):  # the process has ended: `_poll` finds out why
            if self._running is not None:
                self._running.connection.send_bytes(json.dumps(request).encode())

    def _poll(self, question: Question, until: float) -> Verdict | None:
        if self._running is None:
            return Verdict(unknown=f"{question.name}/{question.version}: the self-test process cannot be started")
        try:
            if not self._running.connection.poll(max(min(until, self._deadline) - time.monotonic(), 0)):
                return self._time_out(question)
            answer = json.loads(self._running.connection.recv_bytes())
        except (EOFError, OSError):
            return self._on_end(question, self._running.process.wait())
        if answer == "ready":
            self._is_ready = True
            self._deadline = time.monotonic() + question.seconds
            return None
        return Verdict(answer.get("bad"), answer.get("unknown"), answer.get("stage", "self-test"))

    def _time_out(self, question: Question) -> Verdict | None:
        if time.monotonic() < self._deadline:
            return None
        self.stop()
        where = f"{question.name}/{question.version}"
        return Verdict(unknown=f"{where}: the self-test is not done within {question.seconds:g} seconds")

    def _on_end(self, question: Question, code: int) -> Verdict | None:
        """Handle the end of the process: retry once. The same crash twice is a fault of the network."""
        where, before = f"{question.name}/{question.version}", self._crash
        self._crash = code
        self.stop()
        if before is None:
            self._send(question)
            return None
        if code == before and -code in CRASHES:
            name = signal.Signals(-code).name
            return Verdict(bad=f"{where}: crashes the process that runs it, by {name}")
        return Verdict(unknown=f"{where}: the self-test process ended {_name_end(code)}")


def _name_end(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _start(command: list[str], loader: str) -> _Process:
    ours, theirs = socket.socketpair()
    with theirs, ours:
        number = theirs.fileno()
        process = subprocess.Popen(  # noqa: S603 - this interpreter and a module of this package
            [*command, str(number), loader], pass_fds=[number], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        connection = Connection(ours.detach())
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return _Process(process, connection)
