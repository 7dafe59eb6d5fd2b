"""The tallies of all versions: the busiest models are counted each by itself, all others together under `other`.

Thousands of models would make tens of thousands of series. No total ever falls: what a model has counted before it gets
a tally of its own, or after which its tally is dropped, stays in that of the others.
"""

from collections.abc import Collection, Iterator, Mapping
from heapq import nlargest
from threading import Lock

from service.inference.tally import MOST_COUNTED, OTHER, Counts, Tally

LEAST = 20  # predictions of a model that is counted by itself, and
SHARE = 1000  # the part of all predictions, one in so many


class Tallies:
    """Tallies by name and version. own: models that are counted each by itself. rest: counts of all others so far that
    are in no tally any more.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._tallies: dict[str, dict[int, Tally]] = {}
        self._rest = Tally()
        self.own: set[str] = set()
        self.is_small = False  # whether the repository has so few models that each can be counted by itself

    def of(self, name: str, version: int) -> Tally:
        """The tally of a version, which continues if the version is loaded again."""
        with self._lock:
            if self.is_small and len(self.own) < MOST_COUNTED and name != OTHER:
                self.own.add(name)
            return self._tallies.setdefault(name, {}).setdefault(version, Tally())

    def put_away(self, name: str) -> None:
        """Drop the tallies of a model that is not loaded any more, except for its scores."""
        with self._lock:
            if name not in self.own:
                self._drop(name, [v for v, tally in self._tallies.get(name, {}).items() if not tally.scores.actuals])
                self._fold(name)

    def forget(self, name: str, kept: Collection[int]) -> None:
        """Drop the tallies of the versions of a model that are no longer kept."""
        with self._lock:
            self._drop(name, [version for version in self._tallies.get(name, {}) if version not in kept])
            if name not in self._tallies:
                self.own.discard(name)

    def _drop(self, name: str, versions: Collection[int]) -> None:
        tallies = self._tallies.get(name, {})
        for version in versions:
            tallies.pop(version).drop(self._rest)
        if not tallies:
            self._tallies.pop(name, None)

    def _fold(self, name: str) -> None:
        for tally in self._tallies.get(name, {}).values():
            tally.move(self._rest)

    def choose(self) -> None:
        """Count the busiest models each by itself from now on, as long as there is room. Such a model stays."""
        with self._lock:
            asked = {name: sum(t.predictions for t in of.values()) for name, of in self._tallies.items()}
            least = max(LEAST, (self._rest.predictions + sum(asked.values())) / SHARE)
            busy = [name for name, count in asked.items() if count >= least and name not in self.own and name != OTHER]
            if not busy or self.is_small:
                return
            idle = [name for name in self.own if not asked.get(name)]
            for name in nlargest(MOST_COUNTED - len(self.own) + len(idle), busy, key=asked.__getitem__):
                if len(self.own) >= MOST_COUNTED:
                    self.own.discard(idle.pop())
                self._fold(name)  # its own counters begin at 0
                self.own.add(name)

    def counts(self) -> Mapping[tuple[str, int], Counts]:
        """Counts by name and version of the models that are counted each by itself."""
        with self._lock:
            return {(n, v): t.counts() for n in sorted(self.own) for v, t in self._tallies.get(n, {}).items()}

    def rest(self) -> Counts:
        """Counts of all other models together."""
        with self._lock:
            total = self._rest.counts()
            for name, of in self._tallies.items():
                for tally in of.values() if name not in self.own else ():
                    total += tally.counts()
            return total

    def scored(self) -> Iterator[tuple[str, int, Tally]]:
        """The tallies of all versions that were scored on actual values."""
        with self._lock:
            found = [(name, version, tally) for name, of in self._tallies.items() for version, tally in of.items()]
        return (item for item in found if item[2].scores.actuals)
