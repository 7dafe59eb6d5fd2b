"""`Protocol`: the routes of an HTTP protocol and its part of the OpenAPI document."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter

from service.inference.forecast import Answering
from service.inference.loader import LiveModel


class Limits(NamedTuple):
    """What the protocols allow: rows in a batch, bytes of a decompressed body, loading and unloading of models."""

    max_batch_rows: int
    max_body_bytes: int
    model_control: bool


class Single(NamedTuple):
    """Requests that the fast lane may answer without the framework: POST to `prefix`, a model's name, `suffix`.

    answering: from a JSON body to a JSON response, for the live version; whatever it raises, the framework answers.
    unless: names of headers, lower case, that can change the response; a request with one goes to the framework.
    """

    prefix: str
    suffix: str
    answering: Callable[[LiveModel, bytes], Answering[bytes]]
    unless: frozenset[bytes]


class Protocol(NamedTuple):
    """Routes of a protocol and its part of the OpenAPI document.

    predict: the most used routes, which are matched before those of all protocols in `other`. other: all other routes.
    document: adds the request bodies and examples of the live models to an OpenAPI document. singles: for the fast
    lane.
    """

    predict: APIRouter
    other: APIRouter
    document: Callable[[dict[str, Any], Sequence[LiveModel]], None]
    singles: Sequence[Single] = ()
