"""The whole application in this process, for cases that cannot be reached through a server."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from service.app import PROTOCOLS, create_api
from service.deciding import DecidesItself
from service.inference.engine import LiteRTEngine
from service.inference.lifecycle import Lifecycle
from service.protocols.protocol import Limits
from service.settings import Settings
from service.telemetry.exposition import Exposition
from tests.repository import SHIPPED


def get(app: ASGIApp, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.fixture
def unloaded() -> FastAPI:
    settings = Settings(models_dir=SHIPPED)
    lifecycle = Lifecycle(LiteRTEngine)
    limits = Limits(settings.max_batch_rows, settings.max_body_bytes, settings.model_control)
    protocols = [create(lifecycle, limits) for create in PROTOCOLS]
    return create_api(protocols, lifecycle, DecidesItself(settings), Exposition(lifecycle, {}, None))


@pytest.mark.parametrize("path", ["/health/ready", "/models/lstm"])
def test_before_the_models_are_loaded_the_answer_is_503_with_retry_after(unloaded: FastAPI, path: str) -> None:
    answer = get(unloaded, path)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"detail": "the models are not loaded yet"}


@pytest.mark.parametrize(
    "path",
    ["/v2/health/ready", "/v2/models/lstm", "/v2/models/lstm/ready", "/v1/models/lstm", "/v1/models/lstm/metadata"],
)
def test_before_the_models_are_loaded_a_protocol_answers_503_with_error(unloaded: FastAPI, path: str) -> None:
    answer = get(unloaded, path)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"error": "the models are not loaded yet"}


def test_before_the_models_are_loaded_the_process_is_and_the_docs_are(unloaded: FastAPI) -> None:
    assert get(unloaded, "/health/live").status_code == get(unloaded, "/v2/health/live").status_code == 200
    assert "requestBody" not in get(unloaded, "/openapi.json").json()["paths"]["/predict/{name}"]["post"]


def test_what_nobody_foresaw_is_a_500_that_says_nothing_of_the_inside(unloaded: FastAPI) -> None:
    @unloaded.get("/broken")
    @unloaded.get("/v2/broken")
    async def broken() -> None:
        raise RuntimeError("/etc/secret")

    own, protocol = get(unloaded, "/broken"), get(unloaded, "/v2/broken")

    assert own.headers["connection"] == protocol.headers["connection"] == "close", "uvicorn closes it"
    assert (own.status_code, own.json()) == (500, {"detail": "Internal Server Error"})
    assert (protocol.status_code, protocol.json()) == (500, {"error": "Internal Server Error"})
