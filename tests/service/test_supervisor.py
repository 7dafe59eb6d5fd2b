"""Several workers and their parent process: what happens when one of them ends."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.repository import add_version, copy_of_shipped
from tests.server import Server, running
from tests.waiting import PATIENCE, wait_for


def workers(server: Server) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.Error):  # a process that has just ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def started(server: Server) -> int:
    """Workers that have started so far."""
    return server.log.read_text().count("Application startup complete")


def answers(server: Server) -> set[int]:
    return {httpx.post(f"{server.url}/predict/mlp", json={"value": 5}).json()["version"] for _ in range(20)}


def test_a_worker_that_is_replaced_while_the_repository_is_away_serves_what_the_other_does(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    add_version(models_dir, "mlp", 2)
    with running(tmp_path / "log", "--workers", "2", models_dir=models_dir) as server:
        wait_for(lambda: started(server) == 2)  # the service is ready when the first of them is
        models_dir.rename(tmp_path / "away")
        workers(server)[0].kill()
        wait_for(lambda: started(server) == 3)

        assert answers(server) == {2}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
def test_workers_end_with_their_parent(number: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2", LAGCAST_DRAIN_SECONDS="5") as server:
        left = workers(server)
        os.kill(server.process.pid, number)

        _, alive = psutil.wait_procs(left, timeout=PATIENCE)

    assert alive == []


def test_a_worker_that_does_not_serve_what_was_decided_makes_readiness_fall(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    state = tmp_path / "state"
    options = ["--workers", "2", "--reload-seconds", "0.2", "--state-dir", str(state)]
    with running(tmp_path / "log", *options, models_dir=models_dir) as server:
        wait_for(lambda: len(list((state / "workers").glob("[0-9]*.json"))) == 2)
        confirmed = next((state / "workers").glob("[0-9]*.json"))
        confirmed.write_text('[0, "cannot load mlp: no memory"]')
        reason = "does not serve what was decided: cannot load mlp: no memory"
        # Each worker looks for itself: right after the first refusal the other one may still be ready.
        wait_for(lambda: reason in httpx.get(f"{server.url}/health/ready").json().get("detail", ""))

        add_version(models_dir, "mlp", 2)
        wait_for(lambda: httpx.get(f"{server.url}/health/ready").status_code == 200)
