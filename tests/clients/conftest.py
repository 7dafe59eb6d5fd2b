from collections.abc import Iterator

import pytest

from tests.repository import CHECKOUT, add_version, copy_of_shipped
from tests.server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service in its own environment, with two versions of the LSTM; the clients are in this one."""
    folder = tmp_path_factory.mktemp("server")
    models_dir = copy_of_shipped(folder / "models")
    add_version(models_dir, "lstm", 2)
    with running(folder / "log", models_dir=models_dir, python=CHECKOUT / ".venv" / "bin" / "python") as server:
        yield server
