import subprocess
from collections.abc import Iterator

import pytest

from tests.repository import CHECKOUT, add_version, copy_of_shipped
from tests.server import Server, running

PYTHON = CHECKOUT / ".venv" / "bin" / "python"  # the service's own environment, which trains too


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service in its own environment, with two versions of the LSTM; the clients are in this one."""
    folder = tmp_path_factory.mktemp("server")
    models_dir = copy_of_shipped(folder / "models")
    add_version(models_dir, "lstm", 2)
    with running(folder / "log", models_dir=models_dir, python=PYTHON) as server:
        yield server


@pytest.fixture(scope="session")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with a model of twelve monthly steps and intervals beside the shipped ones."""
    folder = tmp_path_factory.mktemp("dated")
    models_dir = copy_of_shipped(folder / "models")
    subprocess.run([PYTHON, "-m", "tests.airline", models_dir], cwd=CHECKOUT, check=True, capture_output=True)
    with running(folder / "log", models_dir=models_dir, python=PYTHON) as server:
        yield server
