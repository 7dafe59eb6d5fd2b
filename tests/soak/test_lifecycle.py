"""Lifecycle under load: publishing, rollbacks, graceful shutdown, and a killed process."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import psutil
import pytest

from artifact import KERAS_FILE, LITERT_FILE, pin, publish, unpin, verify, versions
from tests.artifact.test_repository import draft
from tests.repository import CHECKOUT, copy_of_shipped
from tests.server import Server, running
from tests.soak.load import Load, loaded, post
from training.config import TrainConfig
from training.data.series import load_rows
from training.export import predict_litert
from training.train import Trained, train

pytestmark = pytest.mark.soak

REQUEST = post("/predict/mlp", '{"value": 50}')
SCORE = post("/score/mlp", '{"values": [50, 60], "actuals": [[90], [null]]}')
PUBLISHES, ROLLBACKS = 200, 50


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def networks() -> list[Trained]:
    """MLPs with different answers, so that an answer identifies its version."""
    return [
        train("mlp", config, load_rows(config)) for config in (TrainConfig(epochs=1, seed=seed) for seed in range(5))
    ]


class Publisher:
    """Publishes the networks in turn, and records the answer of each version."""

    def __init__(self, models_dir: Path, networks: list[Trained]) -> None:
        self._models_dir = models_dir
        self._networks = networks
        self.expected: dict[int, float] = {1: 88.8}

    def publish(self) -> int:
        network = self._networks[len(self.expected) % len(self._networks)]
        version = len(self.expected) + 1
        self.expected[version] = answer_of(network)
        assert publish(self._models_dir, network.draft, network.files).version == version
        return version

    def is_right(self, answer: dict[str, object]) -> bool:
        prediction, version = answer["prediction"], answer["version"]
        return isinstance(prediction, float) and abs(prediction - self.expected[int(str(version))]) < 0.01


def answer_of(network: Trained) -> float:
    return float(predict_litert(network.files[LITERT_FILE], np.array([[50]], np.float32)).item())


def wait_until_live(server: Server, version: int, seconds: float = 30) -> None:
    """Wait until every worker serves the version; each new connection goes to any of them."""
    deadline = time.monotonic() + seconds
    seen = 0
    while seen < 8:
        connection = HTTPConnection("127.0.0.1", port_of(server))
        connection.request("GET", "/health/ready")
        live = json.loads(connection.getresponse().read())["models"]["mlp"]
        connection.close()
        seen = seen + 1 if live == version else 0
        assert time.monotonic() < deadline, f"{live} is live, not {version}"
        time.sleep(0.02)


def test_publishes_and_rollbacks_under_load_fail_no_request_and_each_answer_is_that_of_its_version(
    tmp_path: Path, networks: list[Trained], capsys: pytest.CaptureFixture[str]
) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    publisher = Publisher(models_dir, networks)
    options = ["--workers", "2", "--reload-seconds", "0.4"]
    with running(tmp_path / "log", *options, models_dir=models_dir) as server:
        with loaded(port_of(server), REQUEST, publisher.is_right) as load:
            time.sleep(10)
            begin = time.perf_counter()
            swap(publisher, models_dir, server)
            end = time.perf_counter()
        report(capsys, load, begin, end)

    assert load.failures == []
    assert len(load.answers) > 10_000


def swap(publisher: Publisher, models_dir: Path, server: Server) -> None:
    chance = random.Random(0)
    for number in range(PUBLISHES):
        version = publisher.publish()
        time.sleep(0.5)
        if number % (PUBLISHES // ROLLBACKS) == 0:
            wait_until_live(server, version)
            back = chance.choice(versions(models_dir, "mlp")[-3:])
            pin(models_dir, "mlp", back)
            wait_until_live(server, back)
            unpin(models_dir, "mlp")
            wait_until_live(server, version)
    wait_until_live(server, PUBLISHES + 1)


def report(capsys: pytest.CaptureFixture[str], load: Load, begin: float, end: float) -> None:
    steady, swapping = load.p99(until=begin), load.p99(begin, end)
    with capsys.disabled():
        print(
            f"\n{len(load.answers)} answers, {PUBLISHES} publishes and {ROLLBACKS} rollbacks in {end - begin:.0f} s; "
            f"p99 {steady:.1f} ms steady, {swapping:.1f} ms while swapping, ratio {swapping / steady:.2f}"
        )


def test_sigterm_under_load_fails_no_request_and_exits_0(tmp_path: Path) -> None:
    for turn in range(20):
        workers = str(1 + turn % 2)
        with (
            running(tmp_path / "log", "--workers", workers, LAGCAST_DRAIN_SECONDS="0.5") as server,
            loaded(port_of(server), REQUEST, lambda answer: answer["model"] == "mlp") as load,
        ):
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            code = server.process.wait(timeout=20)

        assert load.failures == []
        assert len(load.answers) > 100
        assert code == 0


def test_a_worker_that_is_killed_under_load_is_replaced_and_only_its_open_requests_fail(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as server:
        parent = psutil.Process(server.process.pid)
        with loaded(port_of(server), REQUEST, lambda answer: answer["model"] == "mlp") as load:
            time.sleep(1)
            victim = next(child for child in parent.children() if "spawn_main" in " ".join(child.cmdline()))
            victim.kill()
            time.sleep(5)
            answered = len(load.answers)
            time.sleep(1)
        workers = [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]

    assert len(load.failures) <= 32
    assert len(load.answers) > answered
    assert len(workers) == 2
    assert victim.pid not in {worker.pid for worker in workers}


@pytest.mark.parametrize("seed", range(50))
def test_a_publisher_that_is_killed_at_any_time_leaves_whole_versions_only(seed: int, tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from tests.artifact.test_repository import draft\n"
        "from artifact import KERAS_FILE, LITERT_FILE, publish\n"
        "print(flush=True)\n"
        "files = {KERAS_FILE: b'k' * 20000, LITERT_FILE: b'l' * 20000}\n"
        "while True: publish(pathlib.Path(sys.argv[1]), draft(), files)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=CHECKOUT, stdout=subprocess.PIPE
    ) as publisher:
        assert publisher.stdout is not None
        publisher.stdout.readline()
        time.sleep(random.Random(seed).uniform(0, 0.03))
        publisher.kill()

    for version in versions(tmp_path, "lstm"):
        verify(tmp_path, "lstm", version)
    before = len(versions(tmp_path, "lstm"))
    assert publish(tmp_path, draft(), {KERAS_FILE: b"k", LITERT_FILE: b"l"}).version == before + 1
    assert all(path.name.isdigit() for path in (tmp_path / "lstm").iterdir())


SOAK_SECONDS = int(os.environ.get("SOAK_SECONDS", "600"))


def test_ten_minutes_at_full_load_with_actual_values_and_a_reload_each_five_seconds_leak_nothing(
    tmp_path: Path, networks: list[Trained], capsys: pytest.CaptureFixture[str]
) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    publisher = Publisher(models_dir, networks)
    with running(tmp_path / "log", models_dir=models_dir) as server:
        process = psutil.Process(server.process.pid)
        measured: list[tuple[float, int]] = []
        with (
            loaded(port_of(server), REQUEST, publisher.is_right) as load,
            loaded(port_of(server), SCORE, lambda answer: answer["model"] == "mlp", connections=2) as scored,
        ):
            for _ in range(SOAK_SECONDS // 5):
                publisher.publish()
                time.sleep(5)
                load.answers.clear()
                scored.answers.clear()
                measured.append((process.memory_info().rss / 2**20, process.num_fds()))
    first, last = measured[len(measured) // 5], measured[-1]
    with capsys.disabled():
        print(f"\nMB and files after a fifth of {SOAK_SECONDS} s: {first}, at the end: {last}")

    assert load.failures == scored.failures == []
    assert last[0] < first[0] * 1.03
    assert abs(last[1] - first[1]) <= 2
