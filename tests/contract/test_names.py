"""Models of any name and input key through every protocol, the documents and the metrics."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from artifact import KERAS_FILE, LITERT_FILE, verify
from tests.repository import SHIPPED, change_card
from tests.server import Server, running

SAMPLES = {"sales-lstm": "lstm", "a.b_c": "lstm", "0": "mlp", "batch": "mlp"}
WINDOW = [1, 2, 3, 4, 5]


def add_model(models_dir: Path, name: str, like: str, **changes: Any) -> Path:
    folder = models_dir / name / "1"
    shutil.copytree(SHIPPED / like / "1", folder)
    change_card(folder, name=name, **changes)
    return folder


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Models with other names than lstm and mlp, one with another input key, and one that cannot be served."""
    folder = tmp_path_factory.mktemp("named")
    for name, like in SAMPLES.items():
        add_model(folder / "models", name, like)
    add_model(folder / "models", "of-temperature", "lstm", input={"name": "last (°C)", "shape": [None, 5, 1]})
    (add_model(folder / "models", "broken", "lstm") / LITERT_FILE).unlink()
    with running(folder / "log", models_dir=folder / "models") as server:
        yield server


@pytest.fixture
def asked(named: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=named.url) as client:
        yield client


@pytest.mark.parametrize(("name", "like"), SAMPLES.items())
def test_a_model_of_any_name_answers_in_every_protocol(asked: httpx.Client, name: str, like: str) -> None:
    key, row = ("window", WINDOW) if like == "lstm" else ("value", 5)
    spec = verify(SHIPPED, like, 1).card.input
    tensor = {
        "name": spec.name,
        "shape": [1, *spec.row_shape],
        "datatype": "FP32",
        "data": row if like == "lstm" else [row],
    }

    single = asked.post(f"/predict/{name}", json={key: row}).json()
    batch = asked.post(f"/predict/{name}/batch", json={f"{key}s": [row, row]}).json()
    v1 = asked.post(f"/v1/models/{name}:predict", json={"instances": [row]}).json()
    v2 = asked.post(f"/v2/models/{name}/infer", json={"inputs": [tensor]}).json()

    prediction = single["prediction"]
    assert prediction == pytest.approx(7.8, abs=0.01)
    assert single["model"] == batch["model"] == v2["model_name"] == name
    assert batch["predictions"] == [prediction, prediction]
    assert v1["predictions"] == [[prediction]]
    assert v2["outputs"][0]["data"] == [prediction]
    for path in (f"/models/{name}", f"/v1/models/{name}", f"/v2/models/{name}", f"/v2/models/{name}/ready"):
        assert asked.get(path).json()["name"] == name


def test_the_json_key_is_the_input_name_on_the_card(asked: httpx.Client) -> None:
    single = asked.post("/predict/of-temperature", json={"last (°C)": WINDOW})
    batch = asked.post("/predict/of-temperature/batch", json={"last (°C)s": [WINDOW]})
    other = asked.post("/predict/of-temperature", json={"window": WINDOW})

    assert batch.json()["predictions"] == [single.json()["prediction"]]
    assert (other.status_code, other.json()["detail"][0]["loc"]) == (422, ["body", "last (°C)"])


def test_the_documents_have_every_live_model_with_its_own_shape_and_real_examples(asked: httpx.Client) -> None:
    document = asked.get("/openapi.json").json()
    paths = {path for path in document["paths"] if path.startswith("/predict/")}
    names = {*SAMPLES, "of-temperature"}

    assert paths == {f"/predict/{name}" for name in names} | {f"/predict/{name}/batch" for name in names}
    identifiers = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(identifiers)) == len(identifiers)
    for path in paths:
        operation = document["paths"][path]["post"]
        answer = asked.post(path, json=operation["requestBody"]["content"]["application/json"]["example"]).json()
        shown = operation["responses"]["200"]["content"]["application/json"]["example"]
        assert answer.keys() == shown.keys()
        key = "predictions" if path.endswith("/batch") and "predictions" in shown else "prediction"
        assert answer[key] == pytest.approx(shown[key], rel=1e-4)
        assert answer | {key: 0} == shown | {key: 0}


def test_a_broken_model_answers_503_with_the_place_of_the_reason_and_models_tells_it(asked: httpx.Client) -> None:
    reason = "broken/1/model.tflite: No such file or directory"

    answers = [
        asked.post("/predict/broken", json={"window": WINDOW}),
        asked.post("/predict/broken/batch", json={"windows": [WINDOW]}),
        asked.post("/v1/models/broken:predict", json={"instances": [WINDOW]}),
        asked.post("/v2/models/broken/infer", json={"inputs": []}),
        asked.get("/v2/models/broken/ready"),
    ]

    assert [answer.status_code for answer in answers] == [503] * 5
    assert all(reason in answer.text and answer.headers["retry-after"] == "1" for answer in answers)
    shown = asked.get("/models/broken").json()
    assert (shown["version"], shown["card"], shown["kept"]) == (None, None, [])
    assert shown["refused"] == [{"version": 1, "reason": reason}]
    assert asked.get("/health/ready").status_code == 200


@pytest.mark.parametrize("name", ["gru", "LSTM", "sales-lstm ", "a" * 200, "%0a", "sales-lstm%0a"])
def test_a_name_that_no_model_has_is_a_404(asked: httpx.Client, name: str) -> None:
    answer = asked.post(f"/predict/{name}", json={"window": WINDOW})

    assert answer.status_code == 404
    assert len(answer.content) < 300


def test_metrics_have_the_models_by_name_and_one_route_for_all(asked: httpx.Client) -> None:
    asked.post("/predict/sales-lstm", json={"window": WINDOW}).raise_for_status()
    asked.post("/predict/a.b_c", json={"window": WINDOW}).raise_for_status()
    text = asked.get("/metrics").text

    assert 'lagcast_live_version{model="a.b_c"} 1.0' in text
    assert 'lagcast_predictions_total{model="sales-lstm",version="1"}' in text
    assert 'lagcast_request_seconds_count{route="/predict/{name}",status="200"}' in text
    assert 'route="/predict/sales-lstm"' not in text


def test_repositories_with_cards_of_schema_1_are_served(client: httpx.Client) -> None:
    assert json.loads((SHIPPED / "lstm" / "1" / "card.json").read_text())["schema_version"] == 1
    assert (SHIPPED / "lstm" / "1" / KERAS_FILE).exists()

    card = client.get("/models/lstm").json()["card"]

    assert (card["schema_version"], card["network"], card["steps"]) == (2, "lstm", 1)
