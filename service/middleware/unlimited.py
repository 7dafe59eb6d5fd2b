"""Paths that no limit and no API key applies to: health checks must always be answered."""

from starlette.types import Scope

UNLIMITED = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})


def is_unlimited(scope: Scope) -> bool:
    """Whether a request is a health check, or no HTTP request at all."""
    return scope["type"] != "http" or scope["path"] in UNLIMITED
