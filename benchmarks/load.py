"""Load tests: a server pinned to one core, wrk pinned to another, and CPU and memory from the operating system."""

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
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}  # units of wrk's latencies, in milliseconds


@dataclass(frozen=True, eq=False)
class Candidate:
    """A server to measure: its command, which contains {port}, and its request for the window [1, 2, 3, 4, 5].

    many: number of connections in the concurrent measurement; less for a server too slow for 32.
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
    """Result of one run: requests per second, latencies in milliseconds, server CPU in microseconds per request."""

    rate: float
    p50: float
    p99: float
    cpu: float


class Running:
    """A started candidate. start: seconds from the command to the first response."""

    def __init__(self, candidate: Candidate, process: psutil.Popen, port: int, start: float) -> None:
        self.candidate = candidate
        self.url = f"http://127.0.0.1:{port}"
        self.start = start
        self._process = process

    def cpu_seconds(self) -> float:
        """User and system CPU seconds of the whole process tree so far."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(time.user + time.system + time.children_user + time.children_system for time in times)

    def megabytes(self) -> float:
        """Resident memory of the whole process tree, in MiB."""
        return float(sum(process.memory_info().rss for process in self._tree())) / MEGABYTE

    def _tree(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def _settle(self) -> None:
        """Wait until the server is idle: its remaining work would slow down the next candidate."""
        for _ in range(100):
            before = self.cpu_seconds()
            time.sleep(0.1)
            if self.cpu_seconds() - before <= 0.01:  # noqa: PLR2004 - a tick of the clock that the system counts in
                return

    def load(self, connections: int, seconds: float) -> Sample:
        """Send the candidate's request over this number of connections. Raises RuntimeError for an error response."""
        before = self.cpu_seconds()
        seen = wrk(self, connections, seconds)
        requests = int(found(r"(\d+) requests in", seen))
        if "Non-2xx" in seen or not requests:
            raise RuntimeError(f"{self.candidate.name} did not answer as it should:\n{seen}")
        cpu = (self.cpu_seconds() - before) / requests * 1e6
        self._settle()
        return Sample(float(found(r"Requests/sec: +([\d.]+)", seen)), latency(seen, 50), latency(seen, 99), cpu)


def wrk(server: Running, connections: int, seconds: float) -> str:
    """Run wrk and return its output. Raises subprocess.CalledProcessError."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = server.candidate.body.replace("'", "\\'")
        script.write(f"wrk.method='POST' wrk.headers['Content-Type']='application/json' wrk.body='{body}'")
        script.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", script.name]
        command = ["taskset", "-c", LOAD_CORE, "wrk", *options, server.url + server.candidate.path]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def found(pattern: str, text: str) -> str:
    """The first group of a pattern in a text. Raises RuntimeError if it does not match."""
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
    """Start a candidate, wait for its first successful response, and stop it at the end."""
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
    """Repeat the request until it succeeds. Raises RuntimeError if the server ends, TimeoutError after two minutes."""
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
    """Stop a process and its descendants: SIGTERM, then SIGKILL after 20 seconds."""
    tree = [process, *process.children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=20)
    for left in alive:
        left.kill()


def require_tools() -> None:
    """Exit with an error message if wrk, taskset or a second core is missing."""
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is needed: apt-get install wrk util-linux")
    if len(os.sched_getaffinity(0)) == 1:
        sys.exit("two cores are needed: one for the server, one for the load generator")
