"""The promise of docs/limits.md: bounds on latency, failures, memory and shutdown time under hostile clients.

The service runs with its default budget in a control group of 1 GiB; beyond that the kernel would kill a process.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import httpx
import psutil
import pytest

from benchmarks.many.models import Repository
from tests.repository import CHECKOUT, SHIPPED
from tests.server import Server, running
from tests.soak.hostile import CLIENTS, COLD
from tests.soak.load import Load, loaded, post
from tests.soak.memory_group import memory_group

pytestmark = pytest.mark.soak

SECONDS = 6.0
P99, LONGEST = 50.0, 250.0  # ms
FIRST = 2000.0  # ms; a model is tested in another process before it is loaded
MEMORY = 2**30
END_SECONDS = 10.0  # one to keep serving, one for open requests, and the exit of the processes
OTHERS = [f"other-{number}" for number in range(40)]
REQUEST = post("/predict/mlp", '{"value": 5}')


def resident(server: Server) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(server.process.pid)
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


@contextmanager
def harmed(server: Server, kinds: list[str], seconds: float) -> Iterator[list[int]]:
    """Run hostile clients; the exit of the context samples memory until they have ended."""
    port = server.url.rpartition(":")[2]
    command = [sys.executable, "-m", "tests.soak.hostile"]
    clients = [subprocess.Popen([*command, kind, port, str(seconds)], cwd=CHECKOUT) for kind in kinds]
    sampled: list[int] = []
    yield sampled
    while any(client.poll() is None for client in clients):
        sampled.append(resident(server))
        time.sleep(0.05)
    assert {client.returncode for client in clients} == {0}


def check(load: Load, begin: float, sampled: list[int], what: str, log: Path) -> None:
    longest = 1e3 * max(took for at, took in load.answers if at >= begin)
    print(f"{what}: p99 {load.p99(begin):.1f} ms, longest {longest:.0f} ms, {max(sampled) / 2**20:.0f} MiB")

    assert load.failures == []
    assert load.p99(begin) <= P99
    assert longest <= LONGEST
    assert "has ended with" not in log.read_text()  # a worker that the kernel killed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_client_of_each_kind_costs_the_others_nothing(
    workers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], subtests: pytest.Subtests
) -> None:
    with (
        memory_group(tmp_path, MEMORY) as python,
        running(tmp_path / "log", "--workers", workers, python=python) as server,
        capsys.disabled(),
    ):
        port = int(server.url.rpartition(":")[2])
        for kind in CLIENTS:
            with subtests.test(kind):
                with loaded(port, REQUEST, lambda answer: answer["model"] == "mlp", connections=2) as load:
                    begin = time.perf_counter()
                    with harmed(server, [kind], SECONDS) as sampled:
                        pass
                check(load, begin, sampled, f"{workers} worker(s), {kind}", server.log)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Models of which few are loaded: those of the hostile client, those of another one, and mlp."""
    repository = Repository(tmp_path / "models", SHIPPED)
    for number, name in enumerate([*(f"series-{n:05}-mlp" for n in range(COLD)), *OTHERS, "mlp"]):
        repository.write(name, "mlp", number)
    return repository.folder


def ask_for_others(url: str) -> list[float]:
    """Ask for one model after another from another address. Returns the latencies in milliseconds."""
    took = []
    with httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address="127.0.0.2"), timeout=60) as client:
        for name in OTHERS:
            begin = time.perf_counter()
            assert client.post(f"/predict/{name}", json={"value": 5}).json()["model"] == name
            took.append(1e3 * (time.perf_counter() - begin))
    return took


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_client_that_asks_for_hundreds_of_models_that_are_not_loaded_delays_neither_others_nor_their_first_requests(
    workers: str, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--workers", workers, "--max-loaded", "50"]
    with (
        memory_group(tmp_path, MEMORY) as python,
        running(tmp_path / "log", *options, python=python, models_dir=repository) as server,
        capsys.disabled(),
    ):
        port = int(server.url.rpartition(":")[2])
        with loaded(port, REQUEST, lambda answer: answer["model"] == "mlp", connections=2) as load:
            begin = time.perf_counter()
            with harmed(server, ["cold models"], 2 * SECONDS) as sampled:
                time.sleep(1)
                first = ask_for_others(server.url)
        check(load, begin, sampled, f"{workers} worker(s), cold models", server.log)
        print(f"first requests of another client: median {median(first):.0f} ms, longest {max(first):.0f} ms")

    assert max(first) <= FIRST


@pytest.mark.parametrize("workers", ["1", "2"])
def test_mixtures_of_them_cost_the_others_nothing_and_the_process_ends_in_time(
    workers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--workers", workers, "--drain-seconds", "1", "--shutdown-seconds", "1"]
    with (
        memory_group(tmp_path, MEMORY) as python,
        running(tmp_path / "log", *options, python=python) as server,
        capsys.disabled(),
    ):
        port = int(server.url.rpartition(":")[2])
        with loaded(port, REQUEST, lambda answer: answer["model"] == "mlp", connections=2) as load:
            begin = time.perf_counter()
            with harmed(server, ["any"], 10 * SECONDS) as sampled:
                pass
        check(load, begin, sampled, f"{workers} worker(s), a mixture", server.log)
        with harmed(server, ["drips"], SECONDS):
            time.sleep(1)
            server.process.terminate()
            server.process.wait(END_SECONDS)
            sampled.clear()

    assert server.process.returncode == 0
