"""Error responses in the OpenAPI document: JSON schemas, and a description of each status."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from service.inference.errors import Problem

DESCRIPTIONS: Mapping[int, str] = {
    400: "The body is not JSON",
    401: "An API key is needed, and it is missing or wrong",
    404: "No model has this name, or this version of it is not kept",
    405: "The path exists, but not with this method",
    408: "The rest of the request did not arrive in time",
    413: "The body is larger than the limit",
    415: "The content type or encoding of the body is not supported",
    422: "The body is JSON, but not what this route takes",
    429: "Too many concurrent requests, or models that wait to be loaded; Retry-After says when to try again",
    431: "The request line and headers are larger than the limit",
    500: "Unexpected error; see the server log",
    503: "The model is not live; Retry-After says when to try again",
    504: "The request took longer than the limit",
}
BAD_TENSOR = "Not of the protocol's form, not JSON, or not a tensor that the model takes"
ANY_ROUTE = (401, 405, 408, 413, 429, 431, 500, 503, 504)  # sent by the middleware and the connection

Responses = dict[int | str, dict[str, Any]]


class Failure(BaseModel):
    """An error message."""

    detail: str


class Invalid(BaseModel):
    """The mistakes in a request and where they are."""

    detail: list[Problem]


class ProtocolFailure(BaseModel):
    """An error message, under the key of the inference protocols."""

    error: str


def failures(*statuses: int) -> Responses:
    """Error responses of the service's own routes."""
    models = {422: Invalid}
    return {code: {"model": models.get(code, Failure), "description": DESCRIPTIONS[code]} for code in statuses}


def protocol_failures(*statuses: int) -> Responses:
    """Error responses of the routes below /v1 and /v2."""
    descriptions = {**DESCRIPTIONS, 400: BAD_TENSOR}
    return {code: {"model": ProtocolFailure, "description": descriptions[code]} for code in statuses}
