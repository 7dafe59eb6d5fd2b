import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

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

LONG = ("soak", "docker")  # markers of tests that take minutes by themselves


class Hangs(BaseException):
    """A test that takes longer than any should; not an Exception, which the code under test might catch."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _end_of(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _end_of(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    with _end_of(item):
        yield


@contextmanager
def _end_of(item: pytest.Item) -> Iterator[None]:
    """A test that hangs fails after `test_seconds` with the line where it waits, and pytest shows what it printed."""
    seconds = int(item.config.getini("test_seconds")) * (10 if any(map(item.get_closest_marker, LONG)) else 1)

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Hangs(f"{item.nodeid} still runs after {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    # Again and again, since a `with` may wait for its child on the way out.
    signal.setitimer(signal.ITIMER_REAL, seconds, 60)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("test_seconds", "longest time of a test's setup, call or teardown; ten times that of soak and docker")


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
