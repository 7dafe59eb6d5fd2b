"""Which version of each model is live: load, self-test, swap, keep the old one, and why a newer one is not live."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from artifact import Artifact, ArtifactError, ModelCard, fingerprint, names, pinned, verify, versions
from service.inference.engine import Engine
from service.inference.errors import NotReady, UnknownModel, UnknownVersion
from service.inference.tally import Tally, VersionCounts

logger = logging.getLogger("lagcast")

NOT_LOADED = "the models are not loaded yet"
SHOWN_NAMES = 10  # as many names as an error text lists
KEPT = 3  # good versions that can be asked for by number: the highest ones; the live one is kept besides


@dataclass(frozen=True)
class LiveModel:
    """A version that answers: its card, the engine that runs its network, and the tally of what it has answered."""

    card: ModelCard
    engine: Engine
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class ModelState:
    """A model at one moment, replaced as a whole.

    live: None if no version can be served. kept: the versions that can be asked for by number. refused: what is wrong
    with a version, by its number. in_repository: whether the live version is still in the repository.
    """

    live: LiveModel | None
    kept: Mapping[int, LiveModel]
    refused: Mapping[int, str]
    pinned: int | None
    in_repository: bool


@dataclass(frozen=True)
class _Tried:
    """What came of a version, and the files that it was then."""

    files: object
    outcome: LiveModel | str


class Lifecycle:
    """The live version of each model in a repository.

    self_test tells what is wrong with an artifact, or None; what has passed is loaded by make_engine.
    key is what cards must be signed with, if anything. required names the models without which the process is not
    ready.
    """

    def __init__(
        self,
        models_dir: Path,
        make_engine: Callable[[Artifact], Engine],
        self_test: Callable[[Artifact], str | None],
        key: bytes | None = None,
        required: Sequence[str] = (),
    ) -> None:
        self._models_dir = models_dir
        self._make_engine = make_engine
        self._self_test = self_test
        self._key = key
        self._required = required
        self._states: dict[str, ModelState] = {}
        self._looked = False
        self._counts: defaultdict[str, VersionCounts] = defaultdict(VersionCounts)  # kept when a name goes
        self._tried: dict[str, dict[int, _Tried]] = {}
        self._tallies: dict[tuple[str, int], Tally] = {}  # a version that is read anew goes on counting

    def names(self) -> list[str]:
        """Names of the models that are known now, sorted: those in the repository, and those served from memory."""
        return sorted(self._states)

    def states(self) -> dict[str, ModelState]:
        """All models at one moment, sorted by name; empty before the repository was looked into."""
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
        """All of a model at this moment. Raises UnknownModel if the repository has no such name.

        Raises NotReady before the repository was looked into for the first time.
        """
        try:
            return self._states[name]
        except KeyError:
            if not self._looked:
                raise NotReady(NOT_LOADED) from None
            known = self.names()
            more = f" and {len(known) - SHOWN_NAMES} more" if len(known) > SHOWN_NAMES else ""
            shown = ", ".join(known[:SHOWN_NAMES])
            raise UnknownModel(f"there is no such model; the models are {shown}{more}") from None

    def counts(self) -> Mapping[str, VersionCounts]:
        """Swaps and refusals by model name, of models that are gone too: a total never falls."""
        return dict(self._counts)

    def check_ready(self) -> None:
        """Raise NotReady with the reason if the process is not ready.

        It is ready if every required model is live, or if none is required, at least one model.
        """
        if not self._looked:
            raise NotReady(NOT_LOADED)
        for name in self._required:
            if name not in self._states:
                raise NotReady(f"the required model {name} is not in the repository")
            self.live(name)
        states = list(self._states.items())
        if not any(state.live for _, state in states):
            raise NotReady("; ".join(_why_not_live(*item) for item in states[:SHOWN_NAMES]) or "no model is published")

    def load(self) -> None:
        """Look for the first time. Raises ArtifactError if no model at all can be served."""
        self.refresh()
        if not any(state.live for state in self._states.values()):
            reasons = [state.refused[max(state.refused)] for state in self._states.values() if state.refused]
            raise ArtifactError("; ".join(reasons[:SHOWN_NAMES]) or "no version is published")

    @contextmanager
    def watching(self, seconds: float) -> Iterator[None]:
        """Follow the repository while the context is open: what is published is live within so many seconds."""
        stop = threading.Event()
        # A thread of its own that ends with the process: a self-test that hangs must not hold up the end.
        threading.Thread(target=self._watch, args=(stop, seconds / 4), daemon=True).start()
        try:
            yield
        finally:
            stop.set()

    def _watch(self, stop: threading.Event, pause: float) -> None:
        while not stop.wait(pause):
            try:
                self.refresh()
            except OSError as error:
                logger.warning("cannot look into the model repository: %s", error.strerror)
            except Exception:  # whatever it is: without this thread no new version would ever be live again
                logger.exception("cannot look into the model repository")

    def refresh(self) -> None:
        """Look into the repository once, and make live what should be; what is bad changes nothing."""
        for name, tried in self._tried.items():
            changed = [v for v, entry in tried.items() if entry.files != fingerprint(self._models_dir, name, v)]
            for version in changed:
                del tried[version]
        for name in self._known():
            while untried := self._untried(name):
                for version in untried:
                    self._try(name, version)
            self._decide(name)
        self._looked = True

    def _known(self) -> list[str]:
        """The names in the repository, and those that are served from memory; all others are forgotten."""
        try:
            found = set(names(self._models_dir))
        except OSError as error:
            logger.warning("cannot look into the model repository: %s", error.strerror)
            found = set()
        served = {name for name, state in self._states.items() if state.live is not None}
        for name in self._states.keys() - found - served:
            del self._states[name]
            del self._tried[name]
        return sorted(found | served)

    def _untried(self, name: str) -> list[int]:
        """The versions that have to be tried before it is known which ones to keep."""
        chosen = pinned(self._models_dir, name)
        self._tried.setdefault(name, {})
        highest_first = sorted(versions(self._models_dir, name), key=lambda v: (v == chosen, v), reverse=True)
        room = KEPT + (chosen is not None)
        untried: list[int] = []
        for version in highest_first:
            entry = self._tried[name].get(version)
            if entry is None:
                untried.append(version)
            room -= entry is None or isinstance(entry.outcome, LiveModel)
            if room == 0:
                break
        return untried

    def _try(self, name: str, version: int) -> None:
        files = fingerprint(self._models_dir, name, version)
        try:
            artifact = verify(self._models_dir, name, version, self._key)
        except ArtifactError as error:
            self._refuse(name, version, files, str(error), "verification")
            return
        reason = self._self_test(artifact)
        if reason is not None:
            self._refuse(name, version, files, reason, "self-test")
            return
        tally = self._tallies.setdefault((name, version), Tally())
        loaded = LiveModel(artifact.card, self._make_engine(artifact), tally)
        self._tried[name][version] = _Tried(files, loaded)

    def _refuse(self, name: str, version: int, files: object, reason: str, refused_by: str) -> None:
        self._tried[name][version] = _Tried(files, reason)
        self._counts[name].failed_loads[refused_by] += 1
        logger.warning("refused %s/%d: %s", name, version, reason)

    def _refused(self, name: str) -> dict[int, str]:
        return {v: entry.outcome for v, entry in self._tried[name].items() if isinstance(entry.outcome, str)}

    def _decide(self, name: str) -> None:
        tried = self._tried[name]
        good = {v: entry.outcome for v, entry in tried.items() if isinstance(entry.outcome, LiveModel)}
        old, chosen = self._states.get(name), pinned(self._models_dir, name)
        live = _choose(old.live if old is not None else None, good, chosen)
        kept = {v: good[v] for v in sorted(good)[-KEPT:]}
        if live is not None:
            kept[live.card.version] = live
        for version in good.keys() - kept.keys():
            del tried[version]
            del self._tallies[name, version]
        in_repository = live is not None and live.card.version in good
        state = ModelState(live, kept, self._refused(name), chosen, in_repository)
        self._states[name] = state
        self._note_change(old, state)

    def _note_change(self, old: ModelState | None, new: ModelState) -> None:
        if new.live is None:
            return
        card, was_live = new.live.card, old is not None and old.live is not None
        if old is None or old.live is not new.live:
            logger.info("%s/%d is live", card.name, card.version)
            self._counts[card.name].reloads += was_live
        if not new.in_repository and (old is None or old.in_repository):
            logger.warning("%s/%d is served from memory: it is no longer in the repository", card.name, card.version)


def _choose(old: LiveModel | None, good: Mapping[int, LiveModel], chosen: int | None) -> LiveModel | None:
    """The pinned version, else the highest good one; the old one stays where that would be a step back by accident."""
    if chosen is not None and chosen in good:
        return good[chosen]
    highest = good[max(good)] if good else None
    if old is None or highest is None:
        return highest or old
    vanished = old.card.version not in good and highest.card.version < old.card.version
    return old if vanished or chosen is not None else highest


def _why_not_live(name: str, state: ModelState) -> str:
    reason = state.refused[max(state.refused)] if state.refused else "no version is published"
    return f"no version of {name} can be served: {reason}"
