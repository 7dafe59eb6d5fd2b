"""The decision about versions: what every worker has to load and report, as an immutable value and as JSON."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Literal

from immutables import Map
from pydantic import TypeAdapter

from artifact.choice import Version

logger = logging.getLogger("lagcast")

Wish = Literal["load", "unload"]


@dataclass(frozen=True)
class ModelDecision:
    """A model at one moment.

    live: None if nothing can be served. kept: checksum by number of the versions that can be requested. refused: why
    versions are refused, for the highest ones; refused_count: the number of all. unknown: why versions could not be
    tested yet. pinned: the version that the pin names; pin_problem: why the pin is not obeyed. in_repository: whether
    the live version is still in the repository. problem: why the model's folder cannot be read. is_waiting: not
    examined yet, because it was never asked for; then `live` and `kept` are those of an earlier process, if any. wish:
    what was asked for through the API: to stay loaded, or not to be served.
    """

    live: Version | None = None
    kept: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    refused_count: int = 0
    unknown: Mapping[int, str] = field(default_factory=dict)
    pinned: int | None = None
    pin_problem: str | None = None
    in_repository: bool = True
    problem: str | None = None
    is_waiting: bool = False
    wish: Wish | None = None

    @property
    def can_load(self) -> bool:
        """Whether a version can be served once it is loaded, as far as it is known."""
        return (self.is_waiting or self.live is not None) and self.wish != "unload"

    def reason(self) -> str | None:
        """Why no version, or not the highest one, is live."""
        outcomes = {**self.unknown, **self.refused}
        return self.problem or self.pin_problem or (outcomes[max(outcomes)] if outcomes else None)


WAITING = ModelDecision(is_waiting=True)
SMALL = 100  # models; a repository of so few is examined at the start, in half a second, and loaded


@dataclass(frozen=True)
class Decision:
    """All models at one moment; `serial` increases with every change. problem: why the repository cannot be read.

    changed: names whose decision is new since the serial `since`; None if that is not known. changes: file with the
    changes since this decision was written; see `journal`.
    """

    serial: int
    models: Mapping[str, ModelDecision]
    problem: str | None = None
    since: int = -1
    changed: frozenset[str] | None = None
    changes: str = ""

    def next(self, serial: int, changed: Mapping[str, ModelDecision | None], problem: str | None) -> "Decision":
        """The decision that follows this one; a model that changed to None is removed."""
        return Decision(serial, with_changes(self.models, changed), problem, self.serial, frozenset(changed))

    def contents(self) -> set[str]:
        """Checksums of the contents that a worker has to load."""
        live = {model.live.sha256 for model in self.models.values() if model.live is not None}
        return live | {sha256 for model in self.models.values() for sha256 in model.kept.values()}

    def reasons(self) -> Iterator[str]:
        """Why models that were examined are not live, or what is known about those that are; sorted by name."""
        for name, model in sorted(self.models.items(), key=itemgetter(0)):
            if not model.is_waiting:
                yield model.reason() or f"{name}: no version is published"

    def to_json(self) -> bytes:
        """The decision as JSON."""
        plain = replace(self, models=dict(self.models))
        return _ADAPTER.dump_json(plain, exclude={"since", "changed"}, exclude_defaults=True)

    @classmethod
    def from_json(cls, content: bytes) -> "Decision":
        """Read `to_json`. Raises ValueError for anything else."""
        return _ADAPTER.validate_json(content)


def with_changes(
    models: Mapping[str, ModelDecision], changed: Mapping[str, ModelDecision | None]
) -> Map[str, ModelDecision]:
    """The models with some changed; a dict of thousands would have to be copied."""
    result = Map(models).mutate()
    for name, model in changed.items():
        if model is None:
            result.pop(name, None)
        else:
            result[name] = model
    return result.finish()


def log_change(name: str, before: ModelDecision, now: ModelDecision) -> None:
    """Log what an operator must know about a new decision."""
    if now.pin_problem is not None and now.pin_problem != before.pin_problem:
        logger.warning("the pin of %s is not obeyed, the live version stays: %s", name, now.pin_problem)
    if now.problem is not None and now.problem != before.problem:
        logger.warning("cannot read the model %s: %s", name, now.problem)
    if now.live is not None and not now.in_repository and (before.in_repository or before.live != now.live):
        logger.warning("%s/%d is served from memory: it is not in the repository", name, now.live.number)


_ADAPTER = TypeAdapter(Decision)
