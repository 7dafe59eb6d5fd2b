import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import CHECKOUT, add_version, copy_of_shipped
from tests.server import Server, running

PYTHON = CHECKOUT / ".venv" / "bin" / "python"  # the environment of the service, which has the training packages too


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with two versions of the LSTM. It runs in an environment of its own, without the clients."""
    folder = tmp_path_factory.mktemp("server")
    models_dir = copy_of_shipped(folder / "models")
    add_version(models_dir, "lstm", 2)
    with running(folder / "log", models_dir=models_dir, python=PYTHON) as server:
        yield server


@pytest.fixture(scope="session")
def dated_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a model of twelve monthly steps and intervals beside the shipped ones."""
    models_dir = copy_of_shipped(tmp_path_factory.mktemp("dated"))
    subprocess.run([PYTHON, "-m", "tests.airline", models_dir], cwd=CHECKOUT, check=True, capture_output=True)
    return models_dir


@pytest.fixture(scope="session")
def dated(dated_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the repository `dated_models`."""
    with running(tmp_path_factory.mktemp("log") / "log", models_dir=dated_models, python=PYTHON) as server:
        yield server


@pytest.fixture
def dated_with_key(dated_models: Path, tmp_path: Path) -> Iterator[Server]:
    """The same service, which requires the API key "secret"."""
    keys = tmp_path / "keys"
    keys.write_text(hashlib.sha256(b"secret").hexdigest())
    with running(tmp_path / "log", "--api-keys-file", keys, models_dir=dated_models, python=PYTHON) as server:
        yield server
