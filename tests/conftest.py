import os
from collections.abc import Iterator
from importlib.util import find_spec

import httpx
import pytest

from tests.server import Server, running

# These have an environment of their own, and a command: `make test-clients`.
collect_ignore = ["clients"] if find_spec("tritonclient") is None else []


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
