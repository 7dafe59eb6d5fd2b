"""Requests of the fast lane whose model is being loaded: called back when it is loaded."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from service.inference.errors import TooManyColdLoads
from service.inference.fair_queue import CLIENT
from service.inference.lifecycle import Lifecycle

MOST = 32  # requests that wait here; each is answered in the same turn of the event loop as its model is loaded
WAIT_SECONDS = 0.25  # a load takes milliseconds; for a longer one, the application has a deadline


class ColdRequests:
    """At most MOST requests that wait for a model, for at most WAIT_SECONDS; the application lets others wait."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._count = 0

    def wait(self, name: str, client: str, go_on: Callable[[], None]) -> bool:
        """Load a model that is not loaded, and call `go_on` once when that is done or takes too long.

        Returns False, and never calls it, if the model is loaded, cannot be, or has too many requests before it.
        """
        load = self._begin(name, client) if self._count < MOST else None
        if load is None:
            return False
        self._count += 1
        self._call_once(load, go_on)
        return True

    def _begin(self, name: str, client: str) -> Future[Any] | None:
        token = CLIENT.set(client)
        try:
            return self._lifecycle.begin_load(name)
        except TooManyColdLoads:
            return None
        finally:
            CLIENT.reset(token)

    def _call_once(self, load: Future[Any], go_on: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            if not timer.cancelled():
                timer.cancel()
                self._count -= 1
                go_on()

        def end_from_thread(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(end)

        timer = loop.call_later(WAIT_SECONDS, end)
        load.add_done_callback(end_from_thread)
