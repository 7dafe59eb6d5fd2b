"""`Protocol`: the routes of a protocol and its part of the OpenAPI document."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter

from service.inference.lifecycle import LiveModel


class Limits(NamedTuple):
    """Limits that a protocol checks itself."""

    max_batch_rows: int
    max_body_bytes: int


class Protocol(NamedTuple):
    """predict: the routes asked most, which are matched before all others. other: the rest of the routes.

    document: adds the request bodies and examples of the live models to an OpenAPI document.
    """

    predict: APIRouter
    other: APIRouter
    document: Callable[[dict[str, Any], Sequence[LiveModel]], None]
