"""One model in the repository: its versions, their outcomes (good, bad, unknown), and the live one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from artifact.choice import Pin, Version, choose
from artifact.repository import Fingerprint
from service.inference.decision import ModelDecision, Wish

KEPT = 3  # highest good versions that can be requested by number; the live one is kept as well
LOOKED_AT = 20  # highest refused versions that are examined again; a repaired older one would not go live anyway
SHOWN = 20  # refused versions, and unknown ones, whose reasons are reported


@dataclass
class Entry:
    """Outcome of one version. files: those that were examined last.

    good: checksum of the last content that was tested good; kept while newer files of the version are unknown.
    """

    files: Fingerprint | None = None
    good: str | None = None
    bad: str | None = None
    unknown: str | None = None
    is_settled: bool = False
    attempts: int = 0
    retry_at: float = 0.0


@dataclass
class Watched:
    """A model: its published versions, its pin, the outcomes, what is live, and what was asked for through the API."""

    name: str
    versions: list[int] = field(default_factory=list)
    pin: Pin | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    current: Version | None = None
    problem: str | None = None
    wish: Wish | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to report: a folder without a version."""
        return not self.versions and self.current is None and self.problem is None

    def is_answered(self) -> bool:
        """Whether it is known what to serve: a good version was found, or no wanted one is left to be tested."""
        entries = (self.entries.get(version) for version in self.wanted())
        return bool(self.problem or self.good()) or all(e is not None and bool(e.bad or e.unknown) for e in entries)

    def is_quiet(self) -> bool:
        """Whether nothing has to be examined until the model's folder changes."""
        entries = (self.entries.get(version) for version in self.wanted())
        return self.problem is None and all(e is not None and e.is_settled and e.files is not None for e in entries)

    def good(self) -> dict[int, str]:
        """Content by number of the versions in the repository that were tested good."""
        return {version: entry.good for version, entry in self.entries.items() if entry.good is not None}

    def wanted(self) -> Iterator[int]:
        """Versions whose outcome matters, most urgent first: the pinned one, then from the highest down until enough
        are good. Evaluated step by step, so that an outcome can end it.

        If nothing is live and the highest ones are refused, the lowest one comes before the rest: it was most likely
        live for long, and some good version should go live soon.
        """
        pinned = self.pin.version if self.pin is not None else None
        if pinned is not None and pinned in set(self.versions):
            yield pinned
        good, refused = 0, 0
        for version in reversed(self.versions):
            entry = self.entries.get(version)
            if entry is not None and entry.bad is not None:
                refused += 1
                if refused > LOOKED_AT:
                    continue
            if refused == LOOKED_AT and self.current is None and not good:
                yield self.versions[0]
            if version != pinned:
                yield version
            entry = self.entries.get(version)
            good += entry is not None and entry.good is not None
            if good == KEPT:
                return

    def decide(self, *, is_away: bool) -> ModelDecision:
        """Choose the live version from the outcomes so far, and drop outcomes that are no longer needed."""
        good = self.good()
        self.current = choose(good, self.pin, self.current)
        kept = {version: good[version] for version in sorted(good)[-KEPT:]}
        live = self.current
        if live is not None:
            kept[live.number] = live.sha256
        for version in good.keys() - kept.keys():
            del self.entries[version]
        refused = {v: e.bad for v, e in sorted(self.entries.items(), reverse=True) if e.bad is not None}
        unknown = {v: e.unknown for v, e in sorted(self.entries.items(), reverse=True) if e.unknown is not None}
        return ModelDecision(
            live=live,
            kept=kept,
            refused=dict(list(refused.items())[:SHOWN]),
            refused_count=len(refused),
            unknown=dict(list(unknown.items())[:SHOWN]),
            pinned=self.pin.version if self.pin is not None else None,
            pin_problem=self._pin_problem(good),
            in_repository=not is_away and live is not None and good.get(live.number) == live.sha256,
            problem=self.problem,
            wish=self.wish,
        )

    def _pin_problem(self, good: dict[int, str]) -> str | None:
        if self.pin is None or self.pin.version in good:
            return None
        if self.pin.version is None:
            return self.pin.problem
        entry = self.entries.get(self.pin.version)
        reason = (entry.bad or entry.unknown or "is not tested yet") if entry is not None else "is not there"
        return f"pinned to {self.name}/{self.pin.version}, which cannot go live: {reason}"
