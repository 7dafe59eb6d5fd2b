"""Routes for models and health, over HTTP."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from artifact import LITERT_FILE, verify
from tests.repository import SHIPPED, add_version, copy_of_shipped, replace_file
from tests.server import running
from training.__main__ import main


def test_health_tells_that_the_process_is_there(client: httpx.Client) -> None:
    answer = client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_readiness_tells_which_versions_are_live(client: httpx.Client) -> None:
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "models": {"lstm": 1, "mlp": 1}})


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_a_model_is_shown_with_its_whole_card(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/models/{name}").json()

    assert answer == {
        "name": name,
        "version": 1,
        "pinned": None,
        "in_repository": True,
        "kept": [1],
        "refused": [],
        "card": verify(SHIPPED, name, 1).card.model_dump(mode="json"),
    }
    assert answer in client.get("/models").json()["models"]


def test_the_list_is_cut_by_prefix_limit_and_the_name_that_came_before(client: httpx.Client) -> None:
    def names(**parameters: Any) -> list[str]:
        return [model["name"] for model in client.get("/models", params=parameters).json()["models"]]

    assert names() == ["lstm", "mlp"]
    assert names(prefix="ml") == ["mlp"]
    assert names(limit=1) == ["lstm"]
    assert names(limit=1, after="lstm") == ["mlp"]
    assert names(prefix="none") == names(after="mlp") == []


def test_the_list_comes_without_cards_where_they_are_not_wanted(client: httpx.Client) -> None:
    bare = client.get("/models", params={"cards": False}).json()["models"]

    assert [(model["name"], model["version"], model["card"]) for model in bare] == [("lstm", 1, None), ("mlp", 1, None)]


@pytest.mark.parametrize("parameters", [{"limit": 0}, {"limit": "x"}, {"prefix": "a" * 129}])
def test_a_list_that_cannot_be_cut_like_that_is_a_422(client: httpx.Client, parameters: dict[str, Any]) -> None:
    answer = client.get("/models", params=parameters)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", *parameters]


def test_an_unknown_model_is_a_404_that_names_the_known_ones(client: httpx.Client) -> None:
    answer = client.get("/models/gru")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "there is no such model; the models are lstm, mlp"}


def test_a_newer_version_that_is_damaged_is_not_live_and_the_reason_is_told(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    replace_file(add_version(models_dir, "lstm", 3), LITERT_FILE, b"not a network")
    (add_version(models_dir, "lstm", 2) / LITERT_FILE).unlink()

    with running(tmp_path / "log", models_dir=models_dir) as server:
        model = httpx.get(f"{server.url}/models/lstm").json()
        prediction = httpx.post(f"{server.url}/predict/lstm", json={"window": [1, 2, 3, 4, 5]}).json()

    assert model["version"] == prediction["version"] == 1
    assert model["refused"] == [
        {"version": 3, "reason": "lstm/3/model.tflite: cannot be run"},
        {"version": 2, "reason": "lstm/2/model.tflite: No such file or directory"},
    ]


def test_the_highest_version_is_live_and_takes_windows_of_its_own_length(tmp_path: Path) -> None:
    """A model of a user's own series with another window length."""
    series = tmp_path / "own.csv"
    series.write_text("x\n" + "\n".join(str(value % 9) for value in range(80)))
    models_dir = copy_of_shipped(tmp_path / "models")

    options = ["--csv", str(series), "--column", "x", "--window", "3", "--epochs", "2", "--recipe", "scaled"]
    options += ["--networks", "lstm"]
    assert main([*options, "--change-signature", "--models-dir", str(models_dir)]) == 0

    with running(tmp_path / "log", models_dir=models_dir) as server, httpx.Client(base_url=server.url) as client:
        three = client.post("/predict/lstm", json={"window": [1, 2, 3]})
        five = client.post("/predict/lstm", json={"window": [1, 2, 3, 4, 5]})
        operation = client.get("/openapi.json").json()["paths"]["/predict/lstm"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["window"]

    assert (three.status_code, three.json()["version"]) == (200, 2)
    assert (five.status_code, five.json()["detail"][0]["type"]) == (422, "too_long")
    assert (schema["minItems"], schema["maxItems"]) == (3, 3)


def test_kept_versions_answer_by_their_number_and_others_are_a_404(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    for version in (2, 3, 4):
        add_version(models_dir, "mlp", version)
    (models_dir / "mlp" / "3" / LITERT_FILE).unlink()

    with running(tmp_path / "log", models_dir=models_dir) as server, httpx.Client(base_url=server.url) as client:
        answers = [client.post(f"/predict/mlp?version={version}", json={"value": 5}) for version in (1, 2, 4, 3, 9)]
        batch = client.post("/predict/mlp/batch?version=2", json={"values": [5]})
        listed = client.get("/models/mlp/versions").json()

    assert [answer.json()["version"] for answer in answers[:3]] == [1, 2, 4]
    assert batch.json()["version"] == 2
    for answer in answers[3:]:
        assert answer.status_code == 404
        assert answer.json() == {"detail": "this version of mlp is not kept; the kept ones are 1, 2, 4"}
    assert listed == {
        "pinned": None,
        "versions": [
            {"version": 4, "status": "live", "reason": None},
            {"version": 3, "status": "refused", "reason": "mlp/3/model.tflite: No such file or directory"},
            {"version": 2, "status": "kept", "reason": None},
            {"version": 1, "status": "kept", "reason": None},
        ],
    }


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.5", "", "9" * 1000 + "x"])
def test_a_version_that_is_no_number_is_a_422_that_does_not_repeat_it(client: httpx.Client, version: str) -> None:
    answer = client.post("/predict/mlp", params={"version": version}, json={"value": 5})

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert set(problem) == {"type", "loc", "msg"}
    assert problem["loc"] == ["query", "version"]
    assert len(answer.content) < 300
