"""A network that this test adds to the registry, followed through training, publishing and every protocol."""

from pathlib import Path

import httpx
import keras
import pytest

from artifact import names, verify
from tests.server import running
from training.__main__ import main
from training.networks.network import Network
from training.networks.registry import NETWORKS
from training.networks.scaling import normalization
from training.values import Values

WINDOW = [1.0, 2.0, 3.0, 4.0, 5.0]


def build(width: int, inputs: Values | None = None) -> keras.Sequential:
    source, output = keras.Input((width,), name="window"), keras.layers.Dense(1)
    return keras.Sequential([source, *normalization(inputs, (-1, width)), output], name="perceptron")


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "models"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "perceptron", Network("perceptron", "window", build, optimizer="adam"))
        arguments = ["--networks", "mlp,perceptron", "--name", "sales", "--epochs", "5", "--models-dir", str(folder)]
        assert main(arguments) == 0
    return folder


def test_a_network_added_to_the_registry_is_published_by_its_name(models_dir: Path) -> None:
    card = verify(models_dir, "sales-perceptron", 1).card

    assert (card.name, card.network, card.steps) == ("sales-perceptron", "perceptron", 1)
    assert (card.input.name, card.input.shape, card.window) == ("window", [None, 5], 5)
    assert names(models_dir) == ["sales-mlp", "sales-perceptron"]


def test_every_protocol_the_documents_and_the_page_have_it(models_dir: Path, tmp_path: Path) -> None:
    name = "sales-perceptron"
    tensor = {"name": "window", "shape": [1, 5], "datatype": "FP32", "data": WINDOW}
    with (
        running(tmp_path / "log", models_dir=models_dir) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        native = client.post(f"/predict/{name}", json={"window": WINDOW}).json()
        batch = client.post(f"/predict/{name}/batch", json={"windows": [WINDOW, WINDOW]}).json()
        v1 = client.post(f"/v1/models/{name}:predict", json={"instances": [WINDOW]}).json()
        v2 = client.post(f"/v2/models/{name}/infer", json={"inputs": [tensor]}).json()
        schema = client.get("/openapi.json").text
        shown = [model["name"] for model in client.get("/models").json()["models"]]
        metrics = client.get("/metrics").text
        ready = client.get("/health/ready").json()

    expected = native["prediction"]
    assert (native["model"], native["version"]) == (name, 1)
    assert batch["predictions"] == [expected, expected]
    assert v1["predictions"] == [pytest.approx([expected])]
    assert v2["outputs"][0]["data"] == [pytest.approx(expected)]
    assert f"/predict/{name}" in schema
    assert shown == ["sales-mlp", name]
    assert f'"{name}"' in metrics
    assert ready["models"] == {"sales-mlp": 1, name: 1}
