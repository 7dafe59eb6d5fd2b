"""Fast path: every request gets the same answer with it and without it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Scope

from service.app import create_app
from service.middleware.fast_path import MAX_BYTES, FastPath
from service.middleware.observe import Observe
from service.middleware.shutdown import GracefulShutdown
from service.settings import Settings
from tests.repository import SHIPPED

Answer = list[Message]


def fast_path_of(settings: Settings) -> FastPath:
    observe = create_app(settings)
    assert isinstance(observe, Observe)
    shutdown = observe._app
    assert isinstance(shutdown, GracefulShutdown)
    assert isinstance(shutdown._app, FastPath)
    return shutdown._app


class Apps:
    """The service with the fast path, without it, and an event loop for both."""

    def __init__(self) -> None:
        self.fast_path = fast_path_of(Settings(models_dir=SHIPPED, max_batch_rows=3, max_body_bytes=50_000))
        self.framework: ASGIApp = self.fast_path._app
        self._loop = asyncio.Runner()
        self._steps: asyncio.Queue[Message] = asyncio.Queue()

    def __enter__(self) -> Self:
        self._loop.run(self._start())
        return self

    async def _start(self) -> None:
        started = asyncio.Event()

        async def send(message: Message) -> None:
            assert message["type"].endswith(".complete")
            started.set()

        await self._steps.put({"type": "lifespan.startup"})
        self._lifespan = asyncio.ensure_future(self.fast_path({"type": "lifespan", "state": {}}, self._steps.get, send))
        await started.wait()

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._stop())
        self._loop.close()

    async def _stop(self) -> None:
        await self._steps.put({"type": "lifespan.shutdown"})
        await self._lifespan

    def ask(self, app: ASGIApp, request: dict[str, Any]) -> Answer:
        return self._loop.run(ask(app, **request))


async def ask(
    app: ASGIApp, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], parts: list[bytes]
) -> Answer:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False
    sent: Answer = []

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": headers,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return sent


@pytest.fixture(scope="module")
def apps() -> Iterator[Apps]:
    with Apps() as apps:
        yield apps


NUMBERS = st.floats() | st.integers(-(10**40), 10**40) | st.floats(-200, 200) | st.booleans() | st.none() | st.text()
VALID = st.floats(-200, 200, width=32) | st.integers(-200, 200)
WINDOWS = st.lists(VALID, min_size=5, max_size=5) | st.lists(NUMBERS, max_size=7)
DOCUMENTS = (
    st.fixed_dictionaries({"window": WINDOWS})
    | st.fixed_dictionaries({"value": VALID | NUMBERS})
    | st.dictionaries(st.sampled_from(["window", "value", "x"]), WINDOWS | NUMBERS)
    | st.fixed_dictionaries({"windows": st.lists(WINDOWS, max_size=4)})
    | st.lists(NUMBERS)
)
BODIES = (
    DOCUMENTS.map(lambda document: json.dumps(document).encode())
    | st.binary(max_size=60)
    | st.integers(49_900, 50_100).map(lambda size: b'{"value": 5' + b" " * (size - 12) + b"}")
)
PATHS = [
    *["/predict/lstm", "/predict/mlp", "/forecast/lstm", "/forecast/mlp"] * 4,
    *["/predict/lstm/", "/predict/lstm/batch", "/predict/gru", "/predict/", "/predict", "/x/predict/lstm", "/x"],
]
HEADERS = st.lists(
    st.sampled_from(
        [
            (b"content-type", b"application/json"),
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-type", b"APPLICATION/JSON"),
            (b"content-type", b"text/plain"),
            (b"content-encoding", b"identity"),
            (b"content-encoding", b"gzip"),
            (b"accept", b"text/html"),
            (b"origin", b"http://elsewhere"),
            (b"host", b"a:b:c"),
            (b"x-forwarded-for", b"10.0.0.1"),
        ]
    ),
    max_size=4,
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    body = draw(BODIES)
    length = [(b"content-length", str(len(body)).encode())] if draw(st.booleans()) else []
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
    return {
        "method": draw(st.sampled_from(["POST"] * 6 + ["GET", "PUT", "HEAD", "OPTIONS"])),
        "path": draw(st.sampled_from(PATHS)),
        "query": draw(st.sampled_from([b""] * 6 + [b"version=1", b"version=2", b"version=0", b"version=one", b"x"])),
        "headers": draw(HEADERS) + length,
        "parts": [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)],
    }


@settings(max_examples=1500, deadline=None)
@given(request=requests())
def test_any_request_gets_the_answer_that_it_gets_without_the_fast_path(apps: Apps, request: dict[str, Any]) -> None:
    assert apps.ask(apps.fast_path, request) == apps.ask(apps.framework, request)


def post(content: bytes, path: str = "/predict/mlp", **changes: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "query": b"", "headers": [], "parts": [content]} | changes


class Refuser:
    """An ASGI application that must not be called."""

    async def __call__(self, scope: Scope, *_: object) -> None:
        raise AssertionError(scope["path"])


@pytest.mark.parametrize("kind", ["predict", "forecast"])
@pytest.mark.parametrize(("name", "content"), [("mlp", b'{"value": 5}'), ("lstm", b'{"window": [1, 2, 3, 4, 5]}')])
def test_a_valid_single_prediction_or_forecast_never_comes_to_the_framework(
    apps: Apps, kind: str, name: str, content: bytes
) -> None:
    fast_path = fast_path_of(Settings(models_dir=SHIPPED))
    fast_path._lifecycle = apps.fast_path._lifecycle
    fast_path._app = Refuser()

    start, body = apps.ask(fast_path, post(content, f"/{kind}/{name}"))

    answer = json.loads(body["body"])
    assert start["status"] == 200
    assert (answer["prediction"] if kind == "predict" else answer["forecast"][0]) == pytest.approx(7.8, abs=0.01)


def test_a_valid_body_of_unusual_length_is_answered_all_the_same(apps: Apps) -> None:
    padded = post(b'{"value": 5' + b" " * MAX_BYTES + b"}")

    assert apps.ask(apps.fast_path, padded) == apps.ask(apps.fast_path, post(b'{"value": 5}'))


def test_a_client_that_goes_before_its_body_is_handed_on(apps: Apps) -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    sent: Answer = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict/mlp", "query_string": b"", "headers": []}
    asyncio.run(apps.fast_path(scope, gone, send))

    assert sent == []
