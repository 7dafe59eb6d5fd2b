"""`--each` on real clusters, and killed: `make test-many`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifact import LITERT_FILE, names, verify, versions
from tests.repository import CHECKOUT
from tests.training.each.test_each import good, write

pytestmark = pytest.mark.many

SERIES = 6
SCHEDULER = "tcp://127.0.0.1:18787"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(CHECKOUT)}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("table") / "t.csv", {f"shop {k}": good(k) for k in range(SERIES)})


def command(table: Path, models_dir: Path, *flags: str) -> list[str]:
    arguments = ["--data", str(table), "--id", "shop", "--each", "--models-dir", str(models_dir), *flags]
    return [sys.executable, "-m", "training", *arguments]


def train(table: Path, models_dir: Path, *flags: str) -> dict[str, bytes]:
    """Run to the end; the `.tflite` file of each model by name."""
    subprocess.run(command(table, models_dir, *flags), cwd=CHECKOUT, env=ENVIRONMENT, check=True)
    assert all(versions(models_dir, name) == [1] for name in names(models_dir))
    return {name: verify(models_dir, name, 1).files[LITERT_FILE] for name in names(models_dir)}


@pytest.fixture(scope="module")
def local(table: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    found = train(table, tmp_path_factory.mktemp("local"))
    assert len(found) == 2 * SERIES
    return found


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[str]:
    scheduler = ["dask_scheduler", "--host", "127.0.0.1", "--port", SCHEDULER.rpartition(":")[2]]
    worker = ["dask_worker", SCHEDULER, "--nthreads", "1", "--local-directory", str(tmp_path)]
    started = []
    for module, *arguments in (scheduler, worker, worker):
        run = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
        started.append(subprocess.Popen(run, env=ENVIRONMENT))
    yield SCHEDULER
    for process in reversed(started):
        process.terminate()
        process.wait()


def test_a_dask_cluster_with_two_workers_makes_the_same_bits(
    table: Path, tmp_path: Path, local: dict[str, bytes], dask: str
) -> None:
    assert train(table, tmp_path / "m", "--backend", "dask", "--address", dask) == local


def test_ray_makes_the_same_bits(table: Path, tmp_path: Path, local: dict[str, bytes]) -> None:
    assert train(table, tmp_path / "m", "--backend", "ray") == local


def test_an_address_without_a_scheduler_is_an_error_of_one_line(table: Path, tmp_path: Path) -> None:
    flags = ["--backend", "dask", "--address", "tcp://127.0.0.1:9"]
    run = subprocess.run(
        command(table, tmp_path, *flags), cwd=CHECKOUT, env=ENVIRONMENT, check=False, capture_output=True, text=True
    )

    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("training: --address tcp://127.0.0.1:9: there is no Dask scheduler")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_the_same_command_goes_on_after_a_run_that_was_ended(
    table: Path, tmp_path: Path, local: dict[str, bytes], ending: signal.Signals
) -> None:
    with subprocess.Popen(
        command(table, tmp_path), cwd=CHECKOUT, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            if line.startswith("series trained 2/"):
                break
        process.send_signal(ending)
        assert process.wait() == (-ending if ending == signal.SIGKILL else 130)
    before = {name: (tmp_path / name / "1" / "card.json").stat().st_ino for name in names(tmp_path)}
    assert 4 <= len(before) < len(local)

    assert train(table, tmp_path) == local
    assert {name: (tmp_path / name / "1" / "card.json").stat().st_ino for name in before} == before
