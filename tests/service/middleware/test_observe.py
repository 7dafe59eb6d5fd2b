"""Request ids, the latency histogram and the access log."""

import asyncio
import json
import logging

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from service.middleware.observe import CLIENT_GONE, Observe
from service.telemetry.logs import JSONFormatter
from service.telemetry.metrics import REQUEST_SECONDS
from service.telemetry.requests import RequestLog


def count(route: str, status: int) -> float:
    samples = next(iter(REQUEST_SECONDS.collect())).samples
    labels = {"route": route, "status": str(status)}
    return next((s.value for s in samples if s.name.endswith("_count") and s.labels == labels), 0)


def fail() -> None:
    raise RuntimeError("unforeseen")


def test_an_error_in_the_log_has_the_id_of_its_request_and_the_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            fail()
        except RuntimeError:
            logging.getLogger("lagcast").exception("failed")
            lines.append(JSONFormatter().format(caplog.records[-1]))
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body"})

    lines: list[str] = []
    transport = httpx.ASGITransport(Observe(failing, str, RequestLog(access_log=False)))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/failing", headers={"X-Request-ID": "mine"})

    answer = asyncio.run(ask())

    event = json.loads(lines[0])
    assert answer.headers["x-request-id"] == event["request_id"] == "mine"
    assert (event["level"], event["logger"], event["message"]) == ("error", "lagcast", "failed")
    assert 'RuntimeError("unforeseen")' in event["exception"]
    assert count("/failing", 500) == 1


@pytest.mark.parametrize("has_begun", [False, True])
def test_an_error_that_nobody_foresaw_is_a_500_in_json_counted_and_logged(
    has_begun: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        if has_begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        fail()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    path = f"/unforeseen/{has_begun}"
    scope = {"type": "http", "path": path, "method": "GET", "headers": [(b"x-request-id", b"mine")]}
    sent: list[Message] = []
    before = count(path, 500)
    asyncio.run(Observe(failing, str, RequestLog(access_log=False))(scope, receive, send))

    assert count(path, 500) == before + 1
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert (b"x-request-id", b"mine") in sent[0]["headers"]
    if not has_begun:
        assert (sent[0]["status"], sent[1]["body"]) == (500, b'{"detail":"Internal Server Error"}')


def test_a_client_that_has_gone_before_its_answer_is_counted_as_such() -> None:
    async def unheard(scope: Scope, receive: Receive, send: Send) -> None: ...

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None: ...

    scope = {"type": "http", "path": "/unheard", "method": "GET", "headers": []}
    asyncio.run(Observe(unheard, str, RequestLog(access_log=False))(scope, receive, send))

    assert count("/unheard", CLIENT_GONE) == 1
