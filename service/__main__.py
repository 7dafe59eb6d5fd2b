"""`python -m service`: from the command line to a running server."""

import logging
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from socket import socket

import uvicorn
from starlette.types import ASGIApp

from artifact import ArtifactError
from artifact.repository import where_to_start
from artifact.version import VERSION
from service.connection import ConnectionLimits, ConnectionPool, HTTPConnection
from service.deciding import Deciding, InvalidStateDir, deciding
from service.inference.admission import InvalidKeysFile, read_key_digests
from service.inference.decision import Decision
from service.inference.follow import answering
from service.listen import CannotListen, bind
from service.memory import TooLittleMemory, budget, memory_limit, raise_file_limit
from service.server import Server, start_app
from service.settings import InvalidSettings, Settings, read_settings
from service.supervisor import EndsWithParent, Supervisor
from service.telemetry.exposition import share_counts
from service.telemetry.logs import log_config

SPARE_FILES = 64  # file descriptors that are not for connections
# On every answer; each costs half a microsecond. The page adds more of its own.
SECURITY_HEADERS = [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")]


def main(arguments: list[str]) -> int:
    """Run the command line. Returns the exit code: 1 nothing to serve, 2 a wrong setting, 3 cannot listen."""
    try:
        settings = read_settings(arguments, VERSION)
        limits = _limits(settings)
        bound = bind(settings.host, settings.port)
    except (InvalidSettings, TooLittleMemory) as error:
        return _fail(2, str(error))
    except CannotListen as error:
        return _fail(3, str(error))
    with bound:
        try:
            _check(settings)
            with deciding(settings) as versions:
                return _serve(settings, limits, bound, versions)
        except ArtifactError as error:
            hint = where_to_start(settings.models_dir)
            return _fail(1, f"cannot serve from {settings.models_dir}: {error}{hint}")
        except (InvalidKeysFile, InvalidStateDir, ModuleNotFoundError) as error:
            return _fail(2, str(error))


def _limits(settings: Settings) -> ConnectionLimits:
    """Limits of the connections of each process. Raises TooLittleMemory."""
    files = raise_file_limit() - SPARE_FILES
    return ConnectionLimits(
        request_seconds=settings.body_seconds,
        answer_seconds=settings.answer_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
        max_body_bytes=settings.max_body_bytes,
        memory_bytes=budget(settings.memory_bytes, settings.max_body_bytes, settings.workers, memory_limit()),
        max_connections=max(1, min(settings.max_connections, files)),
    )


def _check(settings: Settings) -> None:
    """Check the files and packages that the settings need before anything starts."""
    logging.getLogger("lagcast").addHandler(logging.NullHandler())
    if settings.engine == "keras" and find_spec("tensorflow") is None:
        raise ModuleNotFoundError("the keras engine needs TensorFlow, which 'make train' installs")
    if settings.api_keys_file is not None:
        read_key_digests(settings.api_keys_file)


def _serve(settings: Settings, limits: ConnectionLimits, bound: socket, versions: Deciding) -> int:
    if settings.workers > 1:
        return _supervise(settings, limits, bound, versions)
    # After its shutdown uvicorn raises the signal again, which would end the process with a signal instead of code 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = Server(_configure(settings, limits, partial(start_app, settings, None, versions.own)))
    server.run([bound])
    return 0 if server.started else 1


def _supervise(settings: Settings, limits: ConnectionLimits, bound: socket, versions: Deciding) -> int:
    with tempfile.TemporaryDirectory(prefix="lagcast-metrics-") as folder, answering(versions.decider) as asking:
        metrics_dir = Path(folder)
        source = versions.parents._replace(asking=asking)
        start = EndsWithParent(partial(start_app, settings, metrics_dir, source))
        supervisor = Supervisor(_configure(settings, limits, start), sockets=[bound])

        def share(_: Decision) -> None:  # workers read the decision from the store
            share_counts(metrics_dir, versions.decider.failed_loads)

        with versions.decider.watching(settings.reload_seconds, share):
            supervisor.run()
    return supervisor.exit_code


def _configure(settings: Settings, limits: ConnectionLimits, start: Callable[[], ASGIApp]) -> uvicorn.Config:
    return uvicorn.Config(
        start,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=partial(HTTPConnection, pool=ConnectionPool(limits)),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        lifespan="on",
        log_config=log_config(),
        access_log=False,
        headers=SECURITY_HEADERS,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,  # type: ignore[arg-type]  # uvicorn passes it to asyncio, which takes floats
    )


def _fail(code: int, text: str) -> int:
    print(f"lagcast: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
