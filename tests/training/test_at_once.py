"""Several trainings into one repository at the same time, under a service that answers from it."""

import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np

from artifact import verify, versions
from artifact.litert import LiteRTNetwork
from tests.repository import CHECKOUT, copy_of_shipped
from tests.server import running

WINDOW = [1.0, 2.0, 3.0, 4.0, 5.0]
BODIES = {"lstm": {"window": WINDOW}, "mlp": {"value": WINDOW[-1]}}


def train(models_dir: Path, seed: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "training", "--epochs", "2", "--seed", str(seed), "--models-dir", str(models_dir)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def prediction(models_dir: Path, name: str, version: int) -> float:
    """What the published file answers, without a service."""
    network = LiteRTNetwork(verify(models_dir, name, version))
    values = WINDOW if name == "lstm" else WINDOW[-1:]
    return float(network.predict(np.array([values], np.float32))[0, 0])


def test_four_trainings_at_once_publish_four_versions_and_every_answer_is_one_of_its_version(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    answers: set[tuple[str, int, float]] = set()
    with running(tmp_path / "log", models_dir=models_dir) as server, httpx.Client(base_url=server.url) as client:
        runs = [train(models_dir, seed) for seed in (1, 2, 3, 4)]
        while any(run.poll() is None for run in runs) or not {("lstm", 5), ("mlp", 5)} <= {a[:2] for a in answers}:
            for name, body in BODIES.items():
                answer = client.post(f"/predict/{name}", json=body)
                assert answer.status_code == 200, answer.text
                answers.add((name, answer.json()["version"], answer.json()["prediction"]))

    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    for name in BODIES:
        assert versions(models_dir, name) == [1, 2, 3, 4, 5]
        expected = {version: prediction(models_dir, name, version) for version in range(1, 6)}
        assert len(set(expected.values())) == 5
        for _, version, answered in (answer for answer in answers if answer[0] == name):
            assert np.float32(answered) == np.float32(expected[version]), (name, version)
