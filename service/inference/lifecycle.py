"""Which version of each model is live: load, self-test, swap, keep the old one, and why a newer one is not live."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from artifact import MODEL_NAMES, Artifact, ArtifactError, ModelCard, fingerprint, pinned, verify, versions
from service.inference.engine import Engine
from service.inference.errors import NotReady, UnknownModel, UnknownVersion
from service.telemetry.metrics import FAILED_LOADS, RELOADS, Tally

logger = logging.getLogger("lagcast")

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

    refused: what is wrong with a version, by its number. in_repository: whether the live one still lies there.
    """

    live: LiveModel
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
    key is what cards must be signed with, if anything.
    """

    def __init__(
        self,
        models_dir: Path,
        make_engine: Callable[[Artifact], Engine],
        self_test: Callable[[Artifact], str | None],
        key: bytes | None = None,
    ) -> None:
        self._models_dir = models_dir
        self._make_engine = make_engine
        self._self_test = self_test
        self._key = key
        self._states: dict[str, ModelState] = {}
        self._tried: dict[str, dict[int, _Tried]] = {name: {} for name in MODEL_NAMES}
        self._tallies: dict[tuple[str, int], Tally] = {}  # a version that is read anew goes on counting

    def live(self, name: str, version: int | None = None) -> LiveModel:
        """The version that answers now, or a kept one by its number. Raises UnknownModel, UnknownVersion, NotReady."""
        state = self.state(name)
        if version is None:
            return state.live
        try:
            return state.kept[version]
        except KeyError:
            kept = ", ".join(map(str, sorted(state.kept)))
            raise UnknownVersion(f"this version of {name} is not kept; the kept ones are {kept}") from None

    def state(self, name: str) -> ModelState:
        """All of a model at this moment. Raises UnknownModel or NotReady."""
        try:
            return self._states[name]
        except KeyError:
            if name in MODEL_NAMES:
                raise NotReady(f"model {name} is not live yet") from None
            raise UnknownModel(f"there is no such model; the models are {', '.join(MODEL_NAMES)}") from None

    def load(self) -> None:
        """Make every model live. Raises ArtifactError if one has no good version."""
        self.refresh()
        for name in MODEL_NAMES:
            if name not in self._states:
                reasons = self._refused(name)
                raise ArtifactError(reasons[max(reasons)] if reasons else f"{name}: no version is published")

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
        for name in MODEL_NAMES:
            while untried := self._untried(name):
                for version in untried:
                    self._try(name, version)
            self._decide(name)

    def _untried(self, name: str) -> list[int]:
        """The versions that have to be tried before it is known which ones to keep."""
        chosen = pinned(self._models_dir, name)
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
        FAILED_LOADS.labels(name, refused_by).inc()
        logger.warning("refused %s/%d: %s", name, version, reason)

    def _refused(self, name: str) -> dict[int, str]:
        return {v: entry.outcome for v, entry in self._tried[name].items() if isinstance(entry.outcome, str)}

    def _decide(self, name: str) -> None:
        tried = self._tried[name]
        good = {v: entry.outcome for v, entry in tried.items() if isinstance(entry.outcome, LiveModel)}
        old, chosen = self._states.get(name), pinned(self._models_dir, name)
        live = _choose(old.live if old is not None else None, good, chosen)
        if live is None:
            return
        kept = {v: good[v] for v in sorted(good)[-KEPT:]} | {live.card.version: live}
        for version in good.keys() - kept.keys():
            del tried[version]
            del self._tallies[name, version]
        state = ModelState(live, kept, self._refused(name), chosen, live.card.version in good)
        self._states[name] = state
        _log_change(old, state)


def _choose(old: LiveModel | None, good: Mapping[int, LiveModel], chosen: int | None) -> LiveModel | None:
    """The pinned version, else the highest good one; the old one stays where that would be a step back by accident."""
    if chosen is not None and chosen in good:
        return good[chosen]
    highest = good[max(good)] if good else None
    if old is None or highest is None:
        return highest or old
    vanished = old.card.version not in good and highest.card.version < old.card.version
    return old if vanished or chosen is not None else highest


def _log_change(old: ModelState | None, new: ModelState) -> None:
    card = new.live.card
    if old is None or old.live is not new.live:
        logger.info("%s/%d is live", card.name, card.version)
        if old is not None:
            RELOADS.labels(card.name).inc()
    if not new.in_repository and (old is None or old.in_repository):
        logger.warning("%s/%d is served from memory: it is no longer in the repository", card.name, card.version)
