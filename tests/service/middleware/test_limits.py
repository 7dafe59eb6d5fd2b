"""Request limits: each middleware around a small application, and all of them around the service."""

import asyncio
import gc
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.inference.admission import InvalidKeysFile, Keys, read_key_digests
from service.middleware.api_keys import ApiKeys
from service.middleware.body_limit import BodyLimit
from service.middleware.concurrency import Concurrency
from service.middleware.deadline import Deadline
from service.protocols.work import INLINE_BYTES


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with the body of the request."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


LARGE = bytes(INLINE_BYTES + 1)


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


class Gate:
    """An application whose requests wait until the gate is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.finished = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.opened.wait()
        self.finished += 1
        await echo(scope, receive, send)


@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_is_counted_as_it_arrives(size: int, status: int, *, announced: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size):
            yield b"x"

    async def ask() -> httpx.Response:
        async with client_of(BodyLimit(echo, max_bytes=10)) as client:
            return await client.post("/", content=b"x" * size if announced else chunks())

    answer = asyncio.run(ask())

    assert answer.status_code == status
    if status == 200:
        assert answer.content == b"x" * size


def test_a_client_that_goes_while_sending_its_body_is_not_answered() -> None:
    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def must_not_send(message: object) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "path": "/", "headers": []}
    asyncio.run(BodyLimit(echo, max_bytes=10)(scope, gone, must_not_send))


def test_a_full_process_turns_away_with_429_and_takes_the_next_when_work_has_ended() -> None:
    async def ask() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        gate = Gate()
        async with client_of(Concurrency(gate, max_requests=1)) as client:
            first = asyncio.create_task(client.post("/", content=LARGE))
            await asyncio.sleep(0.01)
            refused = await client.post("/", content=LARGE)
            gate.opened.set()
            return await first, refused, await client.post("/", content=LARGE)

    first, refused, later = asyncio.run(ask())

    assert (first.status_code, later.status_code) == (200, 200)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {"detail": "1 requests are at work; try again"}


def test_a_full_process_still_answers_small_requests_and_gets() -> None:
    async def ask() -> list[int]:
        async with client_of(Concurrency(echo, max_requests=0)) as client:
            answers = [await client.post("/", content=LARGE[:100]), await client.get("/"), await client.post("/")]
        return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200, 200, 200]


def test_a_body_that_could_be_of_any_size_takes_a_place() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"x"

    async def ask() -> list[int]:
        async with client_of(Concurrency(echo, max_requests=0)) as client:
            chunked = await client.post("/", content=parts())
            compressed = await client.post("/", content=b"x", headers={"Content-Encoding": "gzip"})
        return [chunked.status_code, compressed.status_code]

    assert asyncio.run(ask()) == [429, 429]


def test_work_that_takes_too_long_is_a_504_and_keeps_its_place_until_it_has_ended() -> None:
    async def ask() -> tuple[list[int], int]:
        gate = Gate()
        app = Deadline(Concurrency(gate, max_requests=1), seconds=0.02)
        late, work = await first_status(app)
        while_at_work, refused = await first_status(app)
        gate.opened.set()
        await asyncio.gather(work, refused)
        after, done = await first_status(app)
        await done
        return [late, while_at_work, after], gate.finished

    statuses, finished = asyncio.run(ask())

    assert statuses == [504, 429, 200]
    assert finished == 2


async def first_status(app: ASGIApp) -> tuple[int, asyncio.Future[None]]:
    """The status of an answer, as soon as it is sent, and the task, which may still run."""
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.set_result(message["status"])

    headers = [(b"content-length", b"%d" % len(LARGE))]
    scope = {"type": "http", "path": "/", "method": "POST", "headers": headers}
    work = asyncio.ensure_future(app(scope, receive, send))
    return await status, work


def test_an_answer_that_has_begun_is_not_cut_off_by_the_deadline() -> None:
    async def slow_writer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"whole"})

    async def ask() -> httpx.Response:
        async with client_of(Deadline(slow_writer, seconds=0.01)) as client:
            return await client.get("/")

    answer = asyncio.run(ask())

    assert (answer.status_code, answer.content) == (200, b"whole")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"])
def test_health_is_outside_every_limit(path: str) -> None:
    async def ask() -> int:
        full = Concurrency(echo, max_requests=0)
        async with client_of(BodyLimit(Deadline(full, seconds=0), max_bytes=0)) as client:
            return (await client.get(path)).status_code

    assert asyncio.run(ask()) == 200


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    digests = [hashlib.sha256(key).hexdigest() for key in (b"first", b"second")]
    path.write_text(f"# the keys\n{digests[0].upper()}  # of a client\n\n{digests[1]}\n")
    return path


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer first", 200),
        ("bearer second", 200),
        ("Bearer third", 401),
        ("Bearer ", 401),
        ("Basic first", 401),
        ("first", 401),
        (None, 401),
    ],
)
def test_with_a_keys_file_only_its_keys_are_answered(authorization: str | None, status: int, keys_file: Path) -> None:
    async def ask() -> tuple[httpx.Response, httpx.Response]:
        headers = {"Authorization": authorization} if authorization is not None else {}
        async with client_of(ApiKeys(echo, Keys(keys_file))) as client:
            return await client.post("/predict/mlp", headers=headers), await client.get("/health/ready")

    answer, health = asyncio.run(ask())

    assert answer.status_code == status
    assert health.status_code == 200
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "Authorization: Bearer KEY" in answer.json()["detail"]


def test_a_keys_file_is_read_again_when_it_changes_and_kept_when_it_is_broken(
    keys_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0
    monkeypatch.setattr("service.inference.admission.time.monotonic", lambda: clock)
    app = ApiKeys(echo, Keys(keys_file))

    def status(key: str) -> int:
        nonlocal clock
        clock += 2

        async def ask() -> httpx.Response:
            async with client_of(app) as client:
                return await client.get("/models", headers={"Authorization": f"Bearer {key}"})

        return asyncio.run(ask()).status_code

    assert [status("first"), status("third")] == [200, 401]
    keys_file.write_text(hashlib.sha256(b"third").hexdigest())
    assert [status("first"), status("third")] == [401, 200]
    keys_file.write_text("broken")
    assert [status("first"), status("third")] == [401, 200]
    keys_file.unlink()
    assert [status("first"), status("third")] == [401, 200]


def test_a_keys_file_with_another_line_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("0" * 64 + "\nsecret\n")

    with pytest.raises(InvalidKeysFile, match="line 2: is not a sha256 in hex") as caught:
        read_key_digests(path)
    assert "secret" not in str(caught.value)


class Part(bytes):
    """Bytes that count the instances which are still alive."""

    left = 0

    def __init__(self, *_: object) -> None:
        Part.left += 1

    def __del__(self) -> None:
        Part.left -= 1


def test_what_was_read_of_a_body_that_is_too_large_is_let_go_at_once() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": Part(60), "more_body": True}

    async def send(_: Message) -> None: ...

    gc.disable()
    try:
        scope = {"type": "http", "path": "/predict/mlp", "headers": []}
        asyncio.run(BodyLimit(never, 100)(scope, receive, send))
        assert Part.left == 0
    finally:
        gc.enable()


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope)
