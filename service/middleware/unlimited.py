"""Paths that no limit and no API key applies to: health checks must always be answered."""

from starlette.types import Scope

from service.protocols.paths import HEALTH


def is_unlimited(scope: Scope) -> bool:
    """Whether a request is a health check, or not an HTTP request."""
    return scope["type"] != "http" or scope["path"] in HEALTH
