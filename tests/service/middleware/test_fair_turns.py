"""Fair scheduling: how many requests go on in one turn of the event loop, and which."""

import asyncio
from collections import Counter

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from service.middleware.fair_turns import MOST, FairTurns


class Requests:
    """Requests to an application behind FairTurns, each of which does `work` and then waits for `event`, if any.

    began, ended: in which turn of the event loop, and for which client.
    """

    def __init__(self, event: asyncio.Event | None = None, *, is_fair: bool = True) -> None:
        self._app: ASGIApp = FairTurns(self._work) if is_fair else self._work
        self._event = event
        self._turn = 0
        self.began: list[tuple[int, str]] = []
        self.ended: list[tuple[int, str]] = []
        self._counting = asyncio.ensure_future(self._count())

    async def _count(self) -> None:
        while True:
            self._turn += 1
            await asyncio.sleep(0)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI calls it
        self.began.append((self._turn, scope["client"][0]))
        if self._event is not None:
            await self._event.wait()
        self.ended.append((self._turn, scope["client"][0]))

    def ask(self, client: str, count: int = 1) -> list[asyncio.Future[None]]:
        async def unused(*_: object) -> None: ...

        scope = {"type": "http", "client": (client, 1)}
        return [asyncio.ensure_future(self._app(scope, unused, unused)) for _ in range(count)]  # type: ignore[arg-type]  # neither is called


def most_in_a_turn(events: list[tuple[int, str]]) -> int:
    return max(Counter(turn for turn, _ in events).values())


def test_of_hundreds_of_requests_in_the_same_instant_few_begin_in_a_turn_and_all_are_answered() -> None:
    async def ask() -> Requests:
        requests = Requests()
        await asyncio.gather(*requests.ask("one", 300))
        await asyncio.gather(*requests.ask("one", 300))
        return requests

    requests = asyncio.run(ask())

    assert len(requests.ended) == 600
    assert most_in_a_turn(requests.began) == MOST


def test_of_hundreds_of_requests_that_wait_for_the_same_event_few_go_on_in_a_turn() -> None:
    async def ask() -> Requests:
        requests = Requests(event := asyncio.Event())
        asked = requests.ask("one", 300)
        for _ in asked:
            await asyncio.sleep(0)
        assert len(requests.began) == 300
        event.set()
        await asyncio.gather(*asked)
        return requests

    assert most_in_a_turn(asyncio.run(ask()).ended) == MOST


@pytest.mark.parametrize("others", [1, 10])
def test_a_client_does_not_wait_for_the_hundreds_of_requests_of_another(others: int) -> None:
    async def ask() -> list[str]:
        requests = Requests()
        asked = requests.ask("many", 300)
        await asyncio.sleep(0)
        await asyncio.gather(*asked, *(future for k in range(others) for future in requests.ask(f"few {k}")))
        return [client for _, client in requests.began]

    began = asyncio.run(ask())

    assert max(began.index(f"few {k}") for k in range(others)) <= 2 * MOST + others


def test_requests_one_after_the_other_wait_for_no_turn() -> None:
    async def ask(*, is_fair: bool) -> list[tuple[int, str]]:
        requests = Requests(is_fair=is_fair)
        for _ in range(10):
            await asyncio.gather(*requests.ask("one"))
        return requests.began

    assert asyncio.run(ask(is_fair=True)) == asyncio.run(ask(is_fair=False))


def test_a_request_that_is_cancelled_gives_its_turn_to_another_and_is_told_so() -> None:
    async def ask() -> Requests:
        requests = Requests(event := asyncio.Event())
        asked = requests.ask("one", 40)
        await asyncio.sleep(0)
        assert len(requests.began) == MOST
        for future in [*asked[:MOST], *asked[-20:]]:  # some that have begun, and some that wait for their turn
            future.cancel()
        event.set()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(result, asyncio.CancelledError) for result in results] == (
            [True] * MOST + [False] * (20 - MOST) + [True] * 20
        )
        return requests

    assert len(asyncio.run(ask()).ended) == 20 - MOST


def test_an_error_of_a_request_is_raised_and_the_next_one_is_answered() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        raise ValueError(scope["client"], receive, send)

    async def ask() -> list[object]:
        app = FairTurns(failing)
        asked = [app({"type": "http", "client": None}, None, None) for _ in range(3 * MOST)]  # type: ignore[arg-type]  # not called
        return await asyncio.gather(*asked, return_exceptions=True)

    assert {type(result) for result in asyncio.run(ask())} == {ValueError}
