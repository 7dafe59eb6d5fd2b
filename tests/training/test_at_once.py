"""Several concurrent trainings into one repository, while a service serves it."""

import multiprocessing
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import numpy as np

from artifact import verify, versions
from artifact.litert import LiteRTNetwork
from tests.repository import copy_of_shipped
from tests.server import running
from training.__main__ import main

VALUE = 5.0
# The processes are forked from one that has TensorFlow, which takes seconds to import.
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["training.stages"])


def start_training(models_dir: Path, seed: int) -> BaseProcess:
    flags = ["--networks", "mlp", "--recipe", "article", "--epochs", "2", "--seed", str(seed)]
    process = FORKSERVER.Process(target=train, args=([*flags, "--models-dir", str(models_dir)],))
    process.start()
    return process


def train(arguments: list[str]) -> None:
    sys.exit(main(arguments))


def prediction(models_dir: Path, version: int) -> float:
    """The prediction of the published file, without a service."""
    network = LiteRTNetwork(verify(models_dir, "mlp", version))
    return float(network.predict(np.array([[VALUE]], np.float32))[0, 0])


def test_four_trainings_at_once_publish_four_versions_and_every_answer_is_one_of_its_version(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    answers: set[tuple[int, float]] = set()
    with running(tmp_path / "log", models_dir=models_dir) as server, httpx.Client(base_url=server.url) as client:
        runs = [start_training(models_dir, seed) for seed in (1, 2, 3, 4)]
        while any(run.is_alive() for run in runs) or 5 not in dict(answers):
            answer = client.post("/predict/mlp", json={"value": VALUE}).raise_for_status().json()
            answers.add((answer["version"], answer["prediction"]))
            time.sleep(0.02)

    assert [run.exitcode for run in runs] == [0, 0, 0, 0]
    assert versions(models_dir, "mlp") == [1, 2, 3, 4, 5]
    expected = {version: prediction(models_dir, version) for version in range(1, 6)}
    assert len(set(expected.values())) == 5
    assert {(version, np.float32(answered)) for version, answered in answers} <= {
        (version, np.float32(value)) for version, value in expected.items()
    }
