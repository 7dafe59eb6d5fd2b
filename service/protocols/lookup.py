"""Find the model and version that a request names; a model that is not loaded is loaded first."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Path

from service.inference.errors import NotLoaded
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel

Version = Annotated[str, Path(description="a kept version, instead of the live one")]
ATTEMPTS = 10  # if other loads put a model away again before its request was answered
Answer = TypeVar("Answer")


async def find(lifecycle: Lifecycle, name: str, version: str | None = None) -> LiveModel:
    """Find the live version, or a kept one by number. Raises UnknownModel, UnknownVersion or NotReady."""
    return await lifecycle.load(name, _number(version))


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    # No version has the number 0: text that is not a number gives UnknownVersion too.
    return int(version) if re.fullmatch("[0-9]{1,9}", version) else 0


async def check_ready(lifecycle: Lifecycle, name: str, version: str | None = None) -> None:
    """Raise the error of `find` if a model, or one of its versions, cannot be asked.

    A model that nobody has asked for is examined first. Otherwise nothing is loaded.
    """
    state, number = await lifecycle.decided_state(name), _number(version)
    if not state.decision.can_load or (number is not None and number not in state.decision.kept):
        await lifecycle.load(name, number)


async def loading(lifecycle: Lifecycle, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run work that finds its model itself, by a name in the body: again when the model has been loaded."""
    for _ in range(ATTEMPTS):
        try:
            return await work()
        except NotLoaded as cold:
            await lifecycle.load(cold.name)
    return await work()
