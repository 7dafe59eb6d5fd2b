"""`python -m service`: from the command line to a running server."""

import logging
import os
import signal
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from socket import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

from artifact import Artifact, ArtifactError, Batch
from service.app import VERSION, create_lifecycle
from service.connection import ConnectionLimits, ConnectionPool, HTTPConnection
from service.inference.engine import Engine
from service.inference.selftest import TESTER
from service.listen import CannotListen, bind
from service.memory import TooLittleMemory, budget, raise_file_limit
from service.middleware.api_keys import InvalidKeysFile, read_key_digests
from service.server import Server, start_app
from service.settings import InvalidSettings, Settings, read_settings
from service.telemetry.logs import log_config

# On every answer, where each costs a prediction half a microsecond; the page has more of its own.
SPARE_FILES = 64  # descriptors that are not for connections
SECURITY_HEADERS = [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")]


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code: 1 cannot serve, 2 a wrong setting, 3 cannot listen."""
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
        except ArtifactError as error:
            return _fail(1, f"cannot serve from {settings.models_dir}: {error}")
        except (InvalidKeysFile, ModuleNotFoundError) as error:
            return _fail(2, str(error))
        return _serve(settings, limits, bound)


def _limits(settings: Settings) -> ConnectionLimits:
    """The limits of each process's connections. Raises TooLittleMemory."""
    files = raise_file_limit() - SPARE_FILES
    return ConnectionLimits(
        request_seconds=settings.body_seconds,
        answer_seconds=settings.answer_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
        max_body_bytes=settings.max_body_bytes,
        memory_bytes=budget(settings.memory_bytes, settings.max_body_bytes, settings.workers),
        max_connections=max(1, min(settings.max_connections, files)),
    )


def _check(settings: Settings) -> None:
    """Verify and self-test everything before any worker loads it, so that what is wrong is said once, in one line."""
    logging.getLogger("lagcast").addHandler(logging.NullHandler())
    if settings.engine == "keras" and find_spec("tensorflow") is None:
        raise ModuleNotFoundError("the keras engine needs TensorFlow, which 'make train' installs")
    create_lifecycle(settings, _Unloaded).load()
    TESTER.stop()  # a new version comes seldom
    if settings.api_keys_file is not None:
        read_key_digests(settings.api_keys_file)


class _Unloaded(Engine):
    """Stands for an engine where only the self-test counts: this process may never answer."""

    def __init__(self, artifact: Artifact) -> None: ...

    def predict(self, windows: Batch) -> Batch:
        raise RuntimeError(f"nothing is loaded to predict {len(windows)} rows")


def _serve(settings: Settings, limits: ConnectionLimits, bound: socket) -> int:
    if settings.workers > 1:
        with tempfile.TemporaryDirectory(prefix="lagcast-metrics-") as folder:
            config = _configure(settings, limits, Path(folder))
            Supervisor(config, sockets=[bound]).run()
        return 0
    # uvicorn raises the signal that ended it once more when all is done: by then there is nothing left to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = Server(_configure(settings, limits, None))
    server.run([bound])
    return 0 if server.started else 1


def _configure(settings: Settings, limits: ConnectionLimits, metrics_dir: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        partial(start_app, settings, metrics_dir),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=partial(HTTPConnection, pool=ConnectionPool(limits)),  # type: ignore[arg-type]  # it is called, no more
        ws="none",
        lifespan="on",
        log_config=log_config(),
        access_log=False,
        headers=SECURITY_HEADERS,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,  # type: ignore[arg-type]  # it takes a fraction too
    )


class Supervisor(Multiprocess):
    """uvicorn's, with an ear for a second SIGTERM while it waits for the workers to end."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, *_: object) -> None:
        if self.should_exit.is_set():
            for process in self.processes:
                if process.pid is not None and process.process.is_alive():
                    os.kill(process.pid, signal.SIGTERM)
        else:
            self.signal_queue.append(signal.SIGTERM)


def _fail(code: int, text: str) -> int:
    print(f"lagcast: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
