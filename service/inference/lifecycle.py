"""The models that this process serves: load the decided versions, swap them in atomically, report readiness."""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from artifact import Artifact, ArtifactError, ModelCard
from artifact.repository import Content, check_content
from service.inference.decision import Decision, ModelDecision
from service.inference.engine import Engine
from service.inference.errors import NotReady, UnknownModel, UnknownVersion
from service.inference.tally import Tally, VersionCounts

logger = logging.getLogger("lagcast")

NOT_LOADED = "the models are not loaded yet"
SHOWN_NAMES = 10  # in an error text


@dataclass(frozen=True)
class LiveModel:
    """A loaded version: its card, the engine that runs its network, and the tally of its predictions."""

    card: ModelCard
    engine: Engine
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class ModelState:
    """A model at one moment; immutable.

    live: None if no version can be served. kept: the versions that can be requested, by number. decision: what the
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


class Lifecycle:
    """The models that this process serves, from the decisions that `apply` is given.

    make_engine loads a network. required names the models without which the process is not ready.
    """

    def __init__(self, make_engine: Callable[[Artifact], Engine], required: Sequence[str] = ()) -> None:
        self._make_engine = make_engine
        self._required = required
        self._states: dict[str, ModelState] = {}
        self._loaded: dict[tuple[str, int, str], LiveModel] = {}
        self._tallies: dict[tuple[str, int], Tally] = {}  # a reloaded version continues its tally
        self._counts: defaultdict[str, VersionCounts] = defaultdict(VersionCounts)  # kept after a model is removed
        self._lock = threading.Lock()
        self.serial = 0  # of the decision that is served; 0 before the first
        self.decided = 0  # the newest known serial
        self.disagreement: str | None = None  # why the workers serve different decisions, once that lasts too long

    def names(self) -> list[str]:
        """Names of the models that are known now, sorted: those in the repository, and those served from memory."""
        return sorted(self._states)

    def states(self) -> dict[str, ModelState]:
        """All models at one moment, sorted by name; empty before the first decision."""
        return dict(sorted(self._states.copy().items()))

    def live(self, name: str, version: int | None = None) -> LiveModel:
        """The live version, or a kept one by its number. Raises UnknownModel, UnknownVersion, NotReady."""
        state = self.state(name)
        if state.live is None:
            raise NotReady(_why_not_live(name, state))
        if version is None:
            return state.live
        try:
            return state.kept[version]
        except KeyError:
            kept = ", ".join(map(str, sorted(state.kept)))
            raise UnknownVersion(f"this version of {name} is not kept; the kept ones are {kept}") from None

    def state(self, name: str) -> ModelState:
        """The state of a model. Raises UnknownModel if there is no such name, NotReady before the first decision."""
        try:
            return self._states[name]
        except KeyError:
            if not self.serial:
                raise NotReady(NOT_LOADED) from None
            known = self.names()
            more = f" and {len(known) - SHOWN_NAMES} more" if len(known) > SHOWN_NAMES else ""
            shown = ", ".join(known[:SHOWN_NAMES])
            raise UnknownModel(f"there is no such model; the models are {shown}{more}") from None

    def counts(self) -> Mapping[str, VersionCounts]:
        """Swaps and refusals by model name, including removed models: a counter must never decrease."""
        return dict(self._counts)

    def note_failures(self, failed_loads: Mapping[str, Counter[str]]) -> None:
        """Set the refusals, by model name and reason, as this process's own decider has counted them."""
        for name, failures in failed_loads.items():
            self._counts[name].failed_loads = failures

    def check_ready(self) -> None:
        """Raise NotReady with the reason if the process is not ready.

        It is ready if every required model is live, or if none is required, at least one model; and if all workers
        serve the same decision.
        """
        if not self.serial:
            raise NotReady(NOT_LOADED)
        if self.disagreement is not None:
            raise NotReady(self.disagreement)
        for name in self._required:
            if name not in self._states:
                raise NotReady(f"the required model {name} is not in the repository")
            self.live(name)
        states = list(self._states.items())
        if not any(state.live for _, state in states):
            raise NotReady("; ".join(_why_not_live(*item) for item in states[:SHOWN_NAMES]) or "no model is published")

    def apply(self, decision: Decision, read: Callable[[str], Content]) -> str | None:
        """Load the decided versions and serve them; a model that cannot be loaded keeps its state.

        read: content by checksum. Returns why the decision is not served in full, or None.
        """
        with self._lock:
            self.decided = decision.serial
            problems = [self._apply_model(name, model, read) for name, model in decision.models.items()]
            for name in self._states.keys() - decision.models.keys():
                del self._states[name]
            self._forget()
            problem = next(filter(None, problems), None)
            if problem is None:
                self.serial = decision.serial
            return problem

    def _apply_model(self, name: str, model: ModelDecision, read: Callable[[str], Content]) -> str | None:
        old = self._states.get(name)
        try:
            kept = {number: self._load(name, number, sha256, read) for number, sha256 in model.kept.items()}
        except (OSError, ValueError, ArtifactError, MemoryError) as error:
            return f"cannot load {name}: {error}"
        live = kept[model.live.number] if model.live is not None else None
        self._states[name] = ModelState(live, kept, model)
        if live is not None and (old is None or old.live is not live):
            logger.info("%s/%d is live", name, live.card.version)
            self._counts[name].reloads += old is not None and old.live is not None
        return None

    def _load(self, name: str, number: int, sha256: str, read: Callable[[str], Content]) -> LiveModel:
        key = name, number, sha256
        if key not in self._loaded:
            artifact = check_content(read(sha256), name, number)
            tally = self._tallies.setdefault((name, number), Tally())
            self._loaded[key] = LiveModel(artifact.card, self._make_engine(artifact), tally)
        return self._loaded[key]

    def _forget(self) -> None:
        served = {id(model) for state in self._states.values() for model in state.kept.values()}
        self._loaded = {key: model for key, model in self._loaded.items() if id(model) in served}
        self._tallies = {key: tally for key, tally in self._tallies.items() if key in {k[:2] for k in self._loaded}}


def _why_not_live(name: str, state: ModelState) -> str:
    outcomes = {**state.unknown, **state.refused}
    reason = state.decision.problem or state.pin_problem or (outcomes[max(outcomes)] if outcomes else None)
    return f"no version of {name} can be served: {reason or 'no version is published'}"
