"""What a process tells of itself while it runs: its log, for eyes at a terminal and else as JSON, a line an event."""

import logging
import sys
from contextvars import ContextVar
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import orjson
from uvicorn.config import LOGGING_CONFIG

REQUEST_ID: ContextVar[bytes | None] = ContextVar("request_id", default=None)


class JSONFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and where there are any request_id and exception."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            event["request_id"] = request_id.decode()
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(event).decode()


def log_config() -> dict[str, Any]:
    """Uvicorn's own logging to stderr, with the service's beside it in the same form."""
    config = deepcopy(LOGGING_CONFIG)
    if not sys.stderr.isatty():
        config["formatters"]["default"] = {"()": JSONFormatter}
    config["loggers"]["lagcast"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config
