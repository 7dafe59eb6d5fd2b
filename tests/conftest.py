import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, NoReturn

import httpx
import pytest

from tests.repository import copy_of_shipped
from tests.server import Server, Serving, running

# Generous, since answers are many times slower on a busy machine; a request that hangs still fails.
PATIENCE = httpx.Timeout(120)
# Made once: reading the certificates of certifi takes each client 20 ms, which is more than most tests take.
CERTIFICATES = httpx.create_ssl_context()
METHODS = (httpx.request, httpx.get, httpx.head, httpx.options, httpx.post, httpx.put, httpx.patch, httpx.delete)
for call in (httpx.Client.__init__, httpx.AsyncClient.__init__, *METHODS):
    (call.__kwdefaults__ or {}).update(timeout=PATIENCE, verify=CERTIFICATES)
if find_spec("hypothesis"):  # hypothesis is not in the environment of `make test-clients`
    from hypothesis import HealthCheck, settings

    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")

# These need a separate environment: `make test-clients`.
collect_ignore = ["clients"] if find_spec("tritonclient") is None else []

LONG = ("soak", "docker")  # markers of tests that take minutes
# Folders and modules that take long: begun last, one of them would run while the other processes are done. All tests of
# a line run in one process, since they share programs that are compiled once in a process, or services.
FIRST = (
    "tests/training/report/",
    "tests/training/",
    "tests/test_readme.py",
    "tests/contract/",
    "tests/service/test_main.py",
    "tests/deploy/test_events.py",
)
OF_MAKE = ("MAKEFLAGS", "ARGS", "PORT")  # those of `make test ARGS=-x`: the commands that tests run are not given them
COMPILED = "TF_XLA_FLAGS"  # environment variable with TensorFlow's flags for its compiler


def pytest_configure(config: pytest.Config) -> None:
    """Give all processes of this run one cache of compiled programs: many trainings here differ only in their data."""
    for name in OF_MAKE:
        os.environ.pop(name, None)
    if COMPILED not in os.environ:
        cache = TemporaryDirectory(prefix="lagcast-compiled-")
        os.environ[COMPILED] = f"--tf_xla_persistent_cache_directory={cache.name}"
        config.add_cleanup(cache.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(name) if (name := _together(item.nodeid)) in FIRST else len(FIRST))


def _together(nodeid: str) -> str:
    """What runs in one process with this test: the first of FIRST that it is in, or else its module."""
    return next((name for name in FIRST if nodeid.startswith(name)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)  # xdist is not in the environment of `make test-clients`
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadscope`, give a process all tests that run together."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _together
    return scheduler if config.getoption("dist") == "loadscope" else None


class Hangs(BaseException):
    """A test exceeded its time limit. Not an Exception, because the code under test might catch that."""


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
    """Time limit of a test, `test_seconds`: raise Hangs in the line where it waits, so that its output is shown."""
    seconds = int(item.config.getini("test_seconds")) * (10 if any(map(item.get_closest_marker, LONG)) else 1)

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Hangs(f"{item.nodeid} still runs after {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    # Repeatedly, since the exit of a `with` may wait for a child process again.
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


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give the service with the shipped models and some options, shared by all tests that ask for the same ones."""
    with ExitStack() as started:

        @cache
        def serve(*options: str | Path) -> Server:
            return started.enter_context(running(tmp_path_factory.mktemp("serving") / "log", *options))

        yield serve


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the digest of the API key `secret`."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(hashlib.sha256(b"secret").hexdigest())
    return keys


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of the service `server`, or of the running service at SERVICE_URL."""
    url = os.environ.get("SERVICE_URL") or request.getfixturevalue("server").url
    with httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="session")
def airline_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the shipped models and one of twelve steps, with intervals and dates."""
    pytest.importorskip("tensorflow")  # not in the environment of make test-service
    from tests.airline import publish_airline  # TensorFlow takes seconds to import

    models_dir = copy_of_shipped(tmp_path_factory.mktemp("airline"))
    publish_airline(models_dir)
    return models_dir


@pytest.fixture(scope="session")
def airline_server(airline_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with the repository `airline_models`."""
    with running(tmp_path_factory.mktemp("airline-server") / "log", models_dir=airline_models) as server:
        yield server


@pytest.fixture
def airline(airline_server: Server) -> Iterator[httpx.Client]:
    """A client of the service `airline_server`."""
    with httpx.Client(base_url=airline_server.url) as client:
        yield client
