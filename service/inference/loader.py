"""Load the versions of a model: their cards, engines and tallies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from artifact import Artifact, ArtifactError, ModelCard
from artifact.repository import Content, check_content
from service.inference.decision import ModelDecision
from service.inference.engine import Engine
from service.inference.tallies import Tallies
from service.inference.tally import Tally

Made = TypeVar("Made")

LOAD_ERRORS = (OSError, ValueError, ArtifactError, MemoryError)


@dataclass(frozen=True)
class LiveModel:
    """A loaded version: its card, the engine that runs its network, and the tally of its predictions."""

    card: ModelCard
    engine: Engine
    tally: Tally = field(default_factory=Tally)
    _made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def trained_range(self) -> tuple[float, float]:
        """The range of the training data, rounded to float32 as the values are that are compared with it."""
        low, high = self.card.input_range
        with np.errstate(over="ignore"):
            return float(np.float32(low)), float(np.float32(high))

    def once(self, make: Callable[["LiveModel"], Made]) -> Made:
        """What `make` returns for this version, kept from the first call on."""
        found: Made | None = self._made.get(make)
        if found is None:
            found = self._made[make] = make(self)
        return found


@dataclass(frozen=True)
class ModelState:
    """A model at one moment; immutable.

    live: None if no version is loaded. kept: the loaded versions that can be requested, by number. decision: what the
    versions were decided to be; the properties below are taken from it.
    """

    live: LiveModel | None
    kept: Mapping[int, LiveModel]
    decision: ModelDecision = field(default_factory=ModelDecision)

    @property
    def refused(self) -> Mapping[int, str]:
        """Why versions are refused, by number; of the highest ones."""
        return self.decision.refused

    @property
    def unknown(self) -> Mapping[int, str]:
        """Why versions could not be tested yet, by number; they are tried again."""
        return self.decision.unknown

    @property
    def pinned(self) -> int | None:
        """The version that the pin names."""
        return self.decision.pinned

    @property
    def pin_problem(self) -> str | None:
        """Why the pin is not obeyed."""
        return self.decision.pin_problem

    @property
    def in_repository(self) -> bool:
        """Whether the live version is still in the repository; else it is served from memory."""
        return self.decision.in_repository


class Loader:
    """Loads the contents that `read` returns by checksum.

    make_engine loads a network. loads: number of versions that were loaded.
    """

    def __init__(self, make_engine: Callable[[Artifact], Engine]) -> None:
        self._make_engine = make_engine
        self.read: Callable[[str], Content] = _no_content
        self.tallies = Tallies()
        self.loads = 0

    def load(self, name: str, model: ModelDecision, old: ModelState | None) -> dict[int, LiveModel]:
        """Load the versions of a decision, except those that are loaded already. Raises LOAD_ERRORS."""
        kept: dict[int, LiveModel] = {}
        for number, sha256 in model.kept.items():
            loaded = old.kept.get(number) if old is not None and old.decision.kept.get(number) == sha256 else None
            kept[number] = loaded or self._load_version(name, number, sha256)
        return kept

    def _load_version(self, name: str, number: int, sha256: str) -> LiveModel:
        artifact = check_content(self.read(sha256), name, number)
        engine = self._make_engine(artifact)
        self.loads += 1
        return LiveModel(artifact.card, engine, self.tallies.of(name, number))


def _no_content(_: str) -> Content:
    raise OSError("there is no decision yet")
