"""What a process tells of itself: its logs."""

from copy import deepcopy
from typing import Any

from uvicorn.config import LOGGING_CONFIG


def log_config() -> dict[str, Any]:
    """Uvicorn's own logging, with the service's beside it in the same form."""
    config = deepcopy(LOGGING_CONFIG)
    config["loggers"]["lagcast"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config
