"""A server pinned to one core, a load generator pinned to the other, and what the operating system says of both."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

CHECKOUT = Path(__file__).parent.parent
SERVER_CORE, LOAD_CORE = "0", "1"
MEGABYTE = 2**20
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}  # of wrk's latencies, in milliseconds


@dataclass(frozen=True, eq=False)
class Candidate:
    """A server to measure: how it is started, with {port} in it, and the request for [1, 2, 3, 4, 5].

    many: the connections that stand for many; fewer where a turn is too short for it to answer them all.
    """

    name: str
    command: list[str]
    path: str = "/predict/lstm"
    body: str = '{"window": [1, 2, 3, 4, 5]}'
    python: Path = Path(sys.executable)
    environment: dict[str, str] = field(default_factory=dict)
    cores: str = SERVER_CORE
    many: int = 32


@dataclass(frozen=True)
class Sample:
    """What one run of the load generator saw: requests a second, milliseconds, and the server's microseconds of CPU."""

    rate: float
    p50: float
    p99: float
    cpu: float


class Running:
    """A candidate that answers."""

    def __init__(self, candidate: Candidate, process: psutil.Popen, port: int, start: float) -> None:
        self.candidate = candidate
        self.url = f"http://127.0.0.1:{port}"
        self.start = start
        self._process = process

    def cpu_seconds(self) -> float:
        """User and system time of the whole process tree so far."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(time.user + time.system + time.children_user + time.children_system for time in times)

    def megabytes(self) -> float:
        """Resident memory of the whole process tree."""
        return float(sum(process.memory_info().rss for process in self._tree())) / MEGABYTE

    def _tree(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def _settle(self) -> None:
        """Wait until what the load generator left behind is done: it would be charged to the next candidate."""
        for _ in range(100):
            before = self.cpu_seconds()
            time.sleep(0.1)
            if self.cpu_seconds() - before <= 0.01:  # noqa: PLR2004 - a tick of the clock that the system counts in
                return

    def load(self, connections: int, seconds: float) -> Sample:
        """Keep so many connections busy with the candidate's request."""
        before = self.cpu_seconds()
        seen = wrk(self, connections, seconds)
        requests = int(found(r"(\d+) requests in", seen))
        if "Non-2xx" in seen or not requests:
            raise RuntimeError(f"{self.candidate.name} did not answer as it should:\n{seen}")
        cpu = (self.cpu_seconds() - before) / requests * 1e6
        self._settle()
        return Sample(float(found(r"Requests/sec: +([\d.]+)", seen)), latency(seen, 50), latency(seen, 99), cpu)


def wrk(server: Running, connections: int, seconds: float) -> str:
    """What wrk prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = server.candidate.body.replace("'", "\\'")
        script.write(f"wrk.method='POST' wrk.headers['Content-Type']='application/json' wrk.body='{body}'")
        script.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", script.name]
        command = ["taskset", "-c", LOAD_CORE, "wrk", *options, server.url + server.candidate.path]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def found(pattern: str, text: str) -> str:
    """The first group of a pattern that must be there."""
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"no {pattern} in:\n{text}")
    return match[1]


def latency(seen: str, percentile: int) -> float:
    """A percentile of wrk's latencies, in milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", found(rf" {percentile}% +(\S+)", seen)).groups()  # type: ignore[union-attr]  # \S+ and \w+ match
    return float(number) * UNITS[unit]


@contextmanager
def running(candidate: Candidate) -> Iterator[Running]:
    """Start a candidate, wait for its first right answer, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = ["taskset", "-c", candidate.cores, str(candidate.python), *candidate.command]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | candidate.environment
    begin = time.perf_counter()
    process = psutil.Popen(
        [part.replace("{port}", str(port)) for part in command],
        cwd=CHECKOUT,
        env={name: value.replace("{port}", str(port)) for name, value in environment.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_answer(candidate, process, port)
        yield Running(candidate, process, port, time.perf_counter() - begin)
    finally:
        end(process)


def wait_for_answer(candidate: Candidate, process: psutil.Popen, port: int) -> None:
    """Ask until the prediction comes, two minutes at most."""
    headers = {"Content-Type": "application/json"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for _ in range(12_000):
            if process.poll() is not None:
                raise RuntimeError(f"{candidate.name} ended with exit code {process.returncode}")
            try:
                answer = client.post(candidate.path, content=candidate.body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                return
            time.sleep(0.01)
    raise TimeoutError(candidate.name)


def end(process: psutil.Popen) -> None:
    """End a process and all that it started."""
    tree = [process, *process.children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=20)
    for left in alive:
        left.kill()


def require_tools() -> None:
    """Exit with a line that says what is missing."""
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is needed: apt-get install wrk util-linux")
    if len(os.sched_getaffinity(0)) == 1:
        sys.exit("two cores are needed: one for the server, one for the load generator")
