"""Logging to stderr: text on a terminal, JSON lines elsewhere, written by a background thread."""

import atexit
import logging
import os
import queue
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from copy import deepcopy
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson
from prometheus_client import Counter
from uvicorn.config import LOGGING_CONFIG

from service.telemetry.metrics import REGISTRY

REQUEST_ID: ContextVar[bytes | None] = ContextVar("request_id", default=None)
DROPPED = Counter(
    "lagcast_dropped_log_lines", "Log lines dropped because stderr was not read fast enough", registry=REGISTRY
)

MAX_LINES = 5000  # waiting to be written
LAST_SECONDS = 1.0  # to write the remaining lines when the process ends


class JSONFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, pid, message; request_id, client, exception if there are any."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            event["request_id"] = request_id.decode()
        client = getattr(record, "client", None)
        if client is not None:
            event["client"] = client
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(event).decode()


class QueuedStderr(logging.Handler):
    """Writes lines to stderr in a background thread; drops and counts them while MAX_LINES are waiting.

    Writing to a pipe that is not read blocks: only the background thread may block.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[bytes] = queue.Queue(MAX_LINES)
        self._dropped = 0
        self._pid = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line, or drop it."""
        try:
            line = self.format(record).encode(errors="replace") + b"\n"
        except Exception:  # noqa: BLE001  # as every logging handler does: a log line must not fail a request
            self.handleError(record)
            return
        if self._pid != os.getpid():
            self._start()
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1
            DROPPED.inc()

    def _start(self) -> None:
        """Start the thread of this process."""
        self._pid = os.getpid()
        threading.Thread(target=self._write, name="log", daemon=True).start()
        atexit.register(self._finish)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            with suppress(OSError):  # the reader of stderr has gone
                _write_all(STDERR.number, line)
            self._lines.task_done()
            if self._dropped and self._lines.empty():
                dropped, self._dropped = self._dropped, 0
                logging.getLogger("lagcast").warning(
                    "%d log lines were dropped: stderr was not read fast enough", dropped
                )

    def _finish(self) -> None:
        end = time.monotonic() + LAST_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)


def _write_all(number: int, line: bytes) -> None:
    while line:
        line = line[os.write(number, line) :]


class Stderr:
    """The file descriptor of the log: 2, or a copy of it once native stderr is captured."""

    number = 2

    def capture(self) -> None:
        """Turn what native libraries write to stderr, such as LiteRT when it loads, into log lines of this process."""
        if self.number != 2 or os.isatty(2):  # noqa: PLR2004
            return
        self.number = os.dup(2)
        reading, writing = os.pipe()
        os.dup2(writing, 2)
        os.close(writing)
        sys.stderr = os.fdopen(os.dup(self.number), "w", buffering=1)
        threading.Thread(target=_log_lines, args=(reading,), name="stderr", daemon=True).start()


STDERR = Stderr()


def _log_lines(number: int) -> None:
    native = logging.getLogger("lagcast.native")
    with os.fdopen(number, errors="replace") as lines:
        for line in lines:
            if line.strip():
                native.info(line.strip())


def log_config() -> dict[str, Any]:
    """Logging configuration: uvicorn's loggers and the service's, in the same format on stderr."""
    config = deepcopy(LOGGING_CONFIG)
    if not os.isatty(2):
        config["formatters"]["default"] = {"()": JSONFormatter}
    config["handlers"]["default"] = {"()": QueuedStderr, "formatter": "default"}
    config["loggers"]["lagcast"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config


def log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log the exception that ends the process; a sys.excepthook."""
    logging.getLogger("lagcast").critical("the process ends with an error", exc_info=(kind, error, traceback))
