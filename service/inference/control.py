"""Control of models through the API: keep one loaded, or do not serve it, in every worker."""

import asyncio

from artifact.repository import is_name
from service.inference.decision import Wish
from service.inference.errors import BadInput, NotReady
from service.inference.lifecycle import Lifecycle

AT_ONCE = 4  # wishes; the decider takes them first in, first out, with the models that others ask for
ATTEMPTS = 10  # to see a wish granted: a load that was in progress answers before
PAUSE_SECONDS = 0.02  # between two looks at what the workers serve
MOST_PAUSES = 250


class Control:
    """Loads and unloads the models of `lifecycle`."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._places = asyncio.Semaphore(AT_ONCE)

    async def apply(self, name: str, wish: Wish) -> None:
        """Keep a model loaded, or do not serve it. Returns when every worker does so.

        Raises UnknownModel, NotReady if no version can be loaded or a worker is late, or BadInput if the model must
        not be unloaded.
        """
        lifecycle = self._lifecycle
        if wish == "unload" and name in lifecycle.required:
            raise BadInput(f"{name} is one of the required models, without which the service is not ready")
        if not is_name(name):  # neither a path of the repository, nor a message of any length to the parent
            lifecycle.state(name)
        async with self._places:
            await self._grant(name, wish)
        await self._wait_for_workers(f"{name} is {wish}ed in this worker, not yet in every other; try again")
        if wish == "load":
            await lifecycle.load(name)

    async def _grant(self, name: str, wish: Wish) -> None:
        self._lifecycle.ask(name, wish)
        for _ in range(ATTEMPTS):
            state = await self._lifecycle.decided_again(name)
            if state.decision.wish == wish:
                return
        raise NotReady(f"{name} is not {wish}ed yet; try again")

    async def _wait_for_workers(self, problem: str) -> None:
        """Wait until every worker serves what this one serves now."""
        serial = self._lifecycle.serial
        for _ in range(MOST_PAUSES):
            if self._lifecycle.confirmed >= serial:
                return
            await asyncio.sleep(PAUSE_SECONDS)
        raise NotReady(problem)
