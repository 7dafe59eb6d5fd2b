"""`make test-docker`: the commands of docs/deploy.md, run unchanged."""

import os
from pathlib import Path

import httpx
import pytest

from tests.docker.engine import URL, attempt, compose, cook, recipe, run, wait_for

pytestmark = pytest.mark.docker

# A user of the host: neither root nor the user of the containers.
SOMEBODY = 12345


def live() -> dict[str, int]:
    models: dict[str, int] = httpx.get(f"{URL}/health/ready").raise_for_status().json()["models"]
    return models


def given_to_somebody(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    os.chown(folder, SOMEBODY, SOMEBODY)
    return folder


def as_somebody(commands: str) -> str:
    """The recipe for the user SOMEBODY: the test itself may run as root, which can write everywhere."""
    assert "$(id -u):$(id -g)" in commands
    return commands.replace("$(id -u):$(id -g)", f"{SOMEBODY}:{SOMEBODY}")


def test_a_folder_of_models_is_trained_into_and_served(kitchen: Path) -> None:
    own = given_to_somebody(kitchen / "own")

    cook(as_somebody(recipe("Your own folder of models")), kitchen)

    assert live() == {"lstm": 1, "mlp": 1}
    assert {path.stat().st_uid for path in own.rglob("*")} == {SOMEBODY}


def test_a_folder_that_the_training_may_not_write_is_told_with_the_option_that_mends_it(kitchen: Path) -> None:
    given_to_somebody(kitchen / "own")

    done = attempt("docker", "compose", "run", "--rm", "train", cwd=kitchen, LAGCAST_MODELS_DIR="./own")

    assert done.returncode == 1
    assert "models/lstm: cannot be written: Permission denied for user 10001" in done.stderr
    assert f"-u {SOMEBODY}:{SOMEBODY}" in done.stderr
    assert "Errno" not in done.stderr


def test_a_table_of_the_user_is_trained_in_the_container_and_goes_live(kitchen: Path) -> None:
    compose("up", "--detach", "--wait", "service", cwd=kitchen)
    (kitchen / "data").mkdir()
    rows = "\n".join(f"{20 + week % 7 + week / 10:g}" for week in range(120))
    (kitchen / "data" / "sales.csv").write_text(f"sold\n{rows}\n")

    cook(recipe("Train on your own table"), kitchen)

    wait_for(lambda: live().items() >= {"sales-lstm": 1, "sales-mlp": 1}.items())


def test_versions_are_listed_rolled_back_and_let_go_again_while_the_service_runs(kitchen: Path) -> None:
    compose("up", "--detach", "--wait", "service", cwd=kitchen)
    compose("run", "--rm", "train", "--epochs", "20", cwd=kitchen)
    wait_for(lambda: live()["mlp"] == 2)
    listing, pinning, unpinning = recipe("List versions and roll back").splitlines()

    assert "mlp/2" in cook(listing, kitchen)
    cook(pinning, kitchen)
    wait_for(lambda: live()["mlp"] == 1)
    cook(unpinning, kitchen)
    wait_for(lambda: live()["mlp"] == 2)


def test_the_report_is_written_into_the_folder_of_the_user(kitchen: Path) -> None:
    given_to_somebody(kitchen / "report")

    cook(as_somebody(recipe("Report")), kitchen)

    assert "<html" in (kitchen / "report" / "index.html").read_text()[:500]


def test_keys_are_read_from_a_secret_and_without_one_nobody_is_answered(kitchen: Path) -> None:
    cook(recipe("API keys"), kitchen)

    assert httpx.get(f"{URL}/models").status_code == 401
    assert httpx.get(f"{URL}/health/ready").status_code == 200


def test_a_key_file_that_does_not_exist_stops_the_start(kitchen: Path) -> None:
    done = attempt("docker", "compose", "up", "--detach", "--wait", cwd=kitchen, LAGCAST_API_KEYS_FILE="./absent")

    assert done.returncode != 0
    assert "does not exist" in done.stderr
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{URL}/health/live")


def test_settings_of_the_shell_reach_the_service_and_empty_ones_count_as_unset(kitchen: Path) -> None:
    empty = {
        "LAGCAST_CORS_ORIGINS": "",
        "LAGCAST_MAX_BATCH_ROWS": "",
        "LAGCAST_API_KEYS_FILE": "",
        "LAGCAST_WORKERS": "",
    }

    cook(recipe("Settings"), kitchen, **empty)
    httpx.get("http://127.0.0.1:8080/models").raise_for_status()
    logged = compose("logs", "service", cwd=kitchen)

    assert "GET /models 200" in logged


def test_a_misspelt_setting_in_the_env_file_stops_the_start_and_is_named(kitchen: Path) -> None:
    (kitchen / ".env").write_text("LAGCAST_API_KEY_FILE=./keys\n")

    done = attempt("docker", "compose", "up", "--detach", "--wait", cwd=kitchen)
    logged = run("docker", "compose", "logs", "service", cwd=kitchen)

    assert done.returncode != 0
    assert "LAGCAST_API_KEYS_FILE" in logged


def test_a_user_s_override_file_is_followed(kitchen: Path) -> None:
    (kitchen / "compose.override.yaml").write_text(
        "services: {service: {environment: {LAGCAST_MAX_BATCH_ROWS: '2'}}}\n"
    )

    compose("up", "--detach", "--wait", "service", cwd=kitchen)

    answer = httpx.post(f"{URL}/predict/mlp/batch", json={"values": [1, 2, 3]})
    assert answer.status_code == 422
