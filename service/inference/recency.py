"""Which models stay loaded: the most recently used ones up to a limit, and those that are held."""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice


class Recency:
    """Names of the loaded models, least recently used first. `touch` may be called from any thread.

    most: names that may be loaded at once; held ones stay, even if they are more. required: names that are always held.
    """

    def __init__(self, most: int, required: Collection[str] = ()) -> None:
        self._most = most
        self._required = frozenset(required)
        self._held: set[str] = set()
        self._names: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    @property
    def has_room(self) -> bool:
        """Whether another model can be loaded without putting one away."""
        return len(self._names) < self._most

    def touch(self, name: str) -> None:
        """Note the use of a loaded model; no effect on others."""
        try:  # `suppress` takes half a microsecond, and every request comes here
            self._names.move_to_end(name)
        except KeyError:
            return

    def hold(self, name: str, *, is_held: bool) -> None:
        """Keep a model loaded whatever else is used, or no longer."""
        (self._held.add if is_held else self._held.discard)(name)

    def is_held(self, name: str) -> bool:
        """Whether a model stays loaded whatever else is used."""
        return name in self._held or name in self._required

    def add(self, name: str) -> list[str]:
        """Note that a model was loaded. Returns those to put away for it."""
        self._names[name] = None
        self._names.move_to_end(name)
        surplus = len(self._names) - self._most
        return list(self._oldest(surplus, name)) if surplus > 0 else []

    def _oldest(self, count: int, but: str) -> Iterator[str]:
        for name in self._first(count + 1 + len(self._held) + len(self._required)):
            if count and name != but and not self.is_held(name):
                count -= 1
                yield name

    def _first(self, count: int) -> list[str]:
        while True:
            with suppress(RuntimeError):  # `touch` was called in another thread meanwhile
                return list(islice(self._names, count))

    def discard(self, name: str) -> None:
        """Note that a model was put away."""
        self._names.pop(name, None)
