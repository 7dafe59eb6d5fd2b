import os
from collections.abc import Iterator

import httpx
import pytest

from tests.server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the shipped models and default settings."""
    with running(tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of that service, or of the running one that LAGCAST_TEST_URL names."""
    url = os.environ.get("LAGCAST_TEST_URL") or request.getfixturevalue("server").url
    with httpx.Client(base_url=url) as client:
        yield client
