import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.repository import copy_of_shipped
from tests.server import Server, running

# On a busy machine an answer can take many times its usual time; what hangs still ends.
PATIENCE = httpx.Timeout(120)
for call in (httpx.Client.__init__, httpx.AsyncClient.__init__, httpx.request, httpx.get, httpx.post, httpx.head):
    (call.__kwdefaults__ or {})["timeout"] = PATIENCE
if find_spec("hypothesis"):  # the environment of `make test-clients` has none
    from hypothesis import HealthCheck, settings

    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")

# These have an environment of their own, and a command: `make test-clients`.
collect_ignore = ["clients"] if find_spec("tritonclient") is None else []


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the shipped models and default settings."""
    with running(tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of that service, or of the running one that SERVICE_URL names."""
    url = os.environ.get("SERVICE_URL") or request.getfixturevalue("server").url
    with httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="session")
def airline_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the shipped models and one of twelve steps, with intervals and dates."""
    pytest.importorskip("tensorflow")  # not in the environment of make test-service
    from tests.airline import publish_airline  # TensorFlow takes seconds to import, which other tests need not wait for

    models_dir = copy_of_shipped(tmp_path_factory.mktemp("airline"))
    publish_airline(models_dir)
    return models_dir


@pytest.fixture(scope="session")
def airline_server(airline_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with that repository."""
    with running(tmp_path_factory.mktemp("airline-server") / "log", models_dir=airline_models) as server:
        yield server


@pytest.fixture
def airline(airline_server: Server) -> Iterator[httpx.Client]:
    """A client of that service."""
    with httpx.Client(base_url=airline_server.url) as client:
        yield client
