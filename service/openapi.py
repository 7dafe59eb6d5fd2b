"""The OpenAPI document: FastAPI's own, with each protocol's bodies and examples for the models that are live."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.middleware.path_prefix import SCOPE_KEY
from service.protocols.http_errors import error_key
from service.protocols.protocol import Protocol

Made = tuple[list[LiveModel], dict[str, Any], bytes]


class Document:
    """The OpenAPI document of `app`, cached until other versions are live: creating it takes tens of milliseconds."""

    def __init__(self, app: FastAPI, lifecycle: Lifecycle, protocols: Sequence[Protocol]) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._protocols = protocols
        self._made: Made | None = None
        self._making = asyncio.Lock()

    def __call__(self) -> dict[str, Any]:
        return self._now()[1]

    async def respond(self, request: Request) -> Response:
        """The document as it was written when it was made: writing it takes as long again.

        Below a path prefix that is known, the prefix is its server: clients would ask beside it otherwise.
        """
        made = self._made_of(self._lifecycle.shown())
        if made is None:
            async with self._making:  # one makes it for all that wait
                made = await asyncio.to_thread(self._now)
        content, prefix = made[2], request.scope.get(SCOPE_KEY, "")
        if prefix:
            content = b'{"servers":%b,' % orjson.dumps([{"url": prefix}]) + content[1:]
        return Response(content, media_type="application/json")

    def _now(self) -> Made:
        models = self._lifecycle.shown()
        made = self._made_of(models)
        if made is None:
            document = self._make(models)
            made = self._made = models, document, orjson.dumps(document)
        return made

    def _made_of(self, models: list[LiveModel]) -> Made | None:
        return self._made if self._made is not None and self._made[0] == models else None

    def _make(self, models: Sequence[LiveModel]) -> dict[str, Any]:
        app = self._app
        openapi = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        # The empty alternative is for services that need no API key.
        openapi["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        openapi["security"] = [{"key": []}, {}]
        for protocol in self._protocols:
            protocol.document(openapi, models)
        _remove_false_422(openapi)
        return openapi


def _remove_false_422(openapi: dict[str, Any]) -> None:
    """FastAPI documents 422 for every parameter; in the paths of the inference protocols any string is valid."""
    for path, operations in openapi["paths"].items():
        if error_key(path) == "error":
            for operation in operations.values():
                operation["responses"].pop("422", None)
