"""One rule for the live version: a running service, `artifact list` and a restarted service agree."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from artifact import LITERT_FILE, pin
from tests.repository import CHECKOUT, add_version, change_card, copy_of_shipped
from tests.server import Server, running
from tests.waiting import wait_for


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    models_dir = copy_of_shipped(tmp_path / "models")
    add_version(models_dir, "lstm", 2)
    return models_dir


def live(server: Server) -> int | None:
    version: int | None = httpx.get(f"{server.url}/models/lstm").json()["version"]
    return version


def listed_as_live(models_dir: Path) -> list[str]:
    command = [sys.executable, "-m", "artifact", "list", "--models-dir", str(models_dir)]
    shown = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in shown.splitlines() if "live" in line.split()[1].split(",")]


def test_a_pinned_version_that_is_damaged_stays_live_where_it_was_and_no_other_goes_live(
    models_dir: Path, tmp_path: Path
) -> None:
    pin(models_dir, "lstm", 1)
    state = tmp_path / "state"
    with running(tmp_path / "log", "--reload-seconds", "0.2", "--state-dir", state, models_dir=models_dir) as server:
        assert live(server) == 1
        (models_dir / "lstm" / "1" / LITERT_FILE).write_bytes(b"x")
        wait_for(lambda: "pin_problem" in httpx.get(f"{server.url}/models/lstm").json())
        assert live(server) == 1
        assert 'lagcast_pin_not_obeyed{model="lstm"} 1' in httpx.get(f"{server.url}/metrics").text
        assert "the pin of lstm is not obeyed" in server.log.read_text()

    assert listed_as_live(models_dir) == ["mlp/1"]
    with running(tmp_path / "log2", models_dir=models_dir) as server:
        answer = httpx.post(f"{server.url}/predict/lstm", json={"window": [1, 2, 3, 4, 5]})
        assert answer.status_code == 503
        assert "pinned to lstm/1, which cannot go live" in answer.json()["detail"]
    with running(tmp_path / "log3", "--state-dir", state, models_dir=models_dir) as server:
        assert live(server) == 1


def test_with_a_state_folder_a_start_answers_without_the_repository(models_dir: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(tmp_path / "log", "--state-dir", state, models_dir=models_dir) as server:
        assert live(server) == 2
    shutil.rmtree(models_dir)

    with running(tmp_path / "log2", "--state-dir", state, "--workers", "2", models_dir=models_dir) as server:
        assert live(server) == 2
        assert httpx.get(f"{server.url}/health/ready").json()["from_memory"] == ["lstm", "mlp"]
        assert httpx.get(f"{server.url}/models/lstm").json()["in_repository"] is False
        assert 'lagcast_served_from_memory{model="lstm"} 1' in httpx.get(f"{server.url}/metrics").text
        copy_of_shipped(models_dir)
        add_version(models_dir, "lstm", 3)
        wait_for(lambda: live(server) == 3)


def test_a_state_folder_that_cannot_be_made_stops_the_start(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "service", "--models-dir", str(models_dir), "--port", "0", "--state-dir"]

    ended = subprocess.run(
        [*command, str(tmp_path / "file" / "state")], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert ended.stderr == f"lagcast: {tmp_path}/file/state: Not a directory\n"


def test_an_end_of_the_trained_range_is_not_outside_of_it_alone_or_in_a_batch(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    change_card(models_dir / "mlp" / "1", input_range=[0.7, 98.3])  # neither is a float32
    with running(tmp_path / "log", models_dir=models_dir) as server:
        for value, is_outside in ((0.7, False), (98.3, False), (0.69999, True), (98.3001, True)):
            single = httpx.post(f"{server.url}/predict/mlp", json={"value": value}).json()
            batch = httpx.post(f"{server.url}/predict/mlp/batch", json={"values": [value, 50]}).json()
            assert single["extrapolated"] is is_outside
            assert batch["extrapolated"] == ([0] if is_outside else [])
