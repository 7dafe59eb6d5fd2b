"""The models that this process serves: load the decided versions, swap them in atomically, report readiness.

A model is loaded when it is first asked for, and put away when others are used more recently; a small repository is
loaded as a whole.
"""

import asyncio
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from math import inf
from operator import itemgetter

from artifact import Artifact
from artifact.repository import Content
from service.inference.cold import ColdLoads
from service.inference.decision import SMALL, Decision, ModelDecision, Wish
from service.inference.engine import Engine
from service.inference.errors import NotLoaded, NotReady, UnknownModel, UnknownVersion
from service.inference.loader import LOAD_ERRORS, LiveModel, Loader, ModelState
from service.inference.recency import Recency
from service.inference.tally import VersionCounts, counted_as

logger = logging.getLogger("lagcast")

NOT_LOADED = "the models are not loaded yet"
SHOWN_NAMES = 10  # in an error text
MAX_LOADED = 1000


class Lifecycle:
    """The models that this process serves, from the decisions that `apply` is given.

    make_engine loads a network. required names the models without which the process is not ready. max_loaded: names
    that are loaded at once. The required ones and those that were asked to stay loaded are among them, and stay though
    they are more.
    """

    def __init__(
        self,
        make_engine: Callable[[Artifact], Engine],
        required: Sequence[str] = (),
        max_loaded: int = MAX_LOADED,
    ) -> None:
        self.required = required
        self._recent = Recency(max_loaded, required)
        self._states: dict[str, ModelState] = {}
        self._sorted: list[str] | None = None
        self._counts: defaultdict[str, VersionCounts] = defaultdict(VersionCounts)  # kept after a model is removed
        self._lock = threading.Lock()
        self.loader = Loader(make_engine)
        self.cold = ColdLoads(self._load_cold, lambda name: self.ask(name, None))
        self.ask: Callable[[str, Wish | None], None] = lambda *_: None  # the decider's
        self.evictions = 0
        self.serial = 0  # of the decision that is served; 0 before the first
        self.confirmed = inf  # serial that every worker serves at least; there may be no others
        self.disagreement: str | None = None  # why the workers serve different decisions, once that lasts too long

    def names(self) -> list[str]:
        """Names of the models that are known now, sorted: those in the repository, and those served from memory."""
        found = self._sorted
        if found is None:
            found = self._sorted = sorted(self._states.copy())
        return found

    def states(self) -> dict[str, ModelState]:
        """All models at one moment, sorted by name; empty before the first decision."""
        states = self._states.copy()
        return {name: states[name] for name in self.names() if name in states}

    def decided_on(self, most: int) -> dict[str, ModelDecision]:
        """Up to `most` of the models that can be served and are not waiting to be examined, sorted by name."""
        decisions = ((name, state.decision) for name, state in self._states.copy().items())
        found = (item for item in decisions if item[1].can_load and not item[1].is_waiting)
        return dict(sorted(islice(found, most), key=itemgetter(0)))

    def loaded(self) -> dict[str, ModelState]:
        """The loaded models, sorted by name."""
        return {name: state for name, state in sorted(self._states.copy().items()) if state.live is not None}

    def shown(self) -> list[LiveModel]:
        """The live versions to document, sorted by name; none in a large repository, where they change all the time."""
        states = self.loaded().values() if len(self._states) <= SMALL else ()
        return [state.live for state in states if state.live is not None]

    def live(self, name: str, version: int | None = None) -> LiveModel:
        """The live version, or a kept one by its number.

        Raises UnknownModel, UnknownVersion, NotReady, or NotLoaded if `load` can load the model.
        """
        return self._pick(name, self.state(name), version)

    def _pick(self, name: str, state: ModelState, version: int | None) -> LiveModel:
        if state.live is None:
            if state.decision.can_load:
                raise NotLoaded(name)
            raise NotReady(_why_not_live(name, state))
        self._recent.touch(name)
        if version is None:
            return state.live
        try:
            return state.kept[version]
        except KeyError:
            kept = ", ".join(map(str, sorted(state.kept)))
            raise UnknownVersion(f"this version of {name} is not kept; the kept ones are {kept}") from None

    async def load(self, name: str, version: int | None = None) -> LiveModel:
        """The live version, or a kept one by its number, loaded if it is not; concurrent loads of a model are one.

        Raises UnknownModel, UnknownVersion or NotReady.
        """
        return self._pick(name, await self.loaded_state(name), version)

    async def loaded_state(self, name: str) -> ModelState:
        """The state of a model, loaded if it can be. Raises UnknownModel or NotReady."""
        load = self.begin_load(name)
        return self.state(name) if load is None else await _done(load)

    def begin_load(self, name: str) -> Future[ModelState] | None:
        """Load a model in a thread; None if it is loaded, or cannot be. Raises TooManyColdLoads."""
        state = self._states.get(name)
        if state is None or state.live is not None or not state.decision.can_load:
            return None
        return self.cold.start(name, is_decided=not state.decision.is_waiting)

    async def decided_state(self, name: str) -> ModelState:
        """The state of a model once it is decided on; it may not be loaded. Raises UnknownModel or NotReady."""
        state = self.state(name)
        return await self.decided_again(name) if state.decision.is_waiting else state

    async def decided_again(self, name: str) -> ModelState:
        """The state of a model at the next decision about it, loaded if it can be. Raises UnknownModel or NotReady."""
        return await _done(self.cold.start(name, is_decided=False))

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
        for name in self.required:
            if name not in self._states:
                raise NotReady(f"the required model {name} is not in the repository")
            if self._states[name].live is None:
                raise NotReady(_why_not_live(name, self._states[name]))
        if not any(state.decision.can_load for state in self._states.copy().values()):
            states = islice(self.states().items(), SHOWN_NAMES)
            raise NotReady("; ".join(_why_not_live(*item) for item in states) or "no model is published")

    def apply(self, decision: Decision, read: Callable[[str], Content]) -> str | None:
        """Serve the decided versions; a loaded model that cannot be swapped keeps its state.

        read: content by checksum. Returns why the decision is not served in full, or None.
        """
        with self._lock:
            self.loader.read = read
            names, is_small = self._affected(decision), len(decision.models) <= SMALL
            self.loader.tallies.is_small = is_small
            problems = [self._apply_model(name, decision.models.get(name), is_small=is_small) for name in names]
            problem = next(filter(None, problems), None)
            if problem is None:
                self.serial = decision.serial
        self.cold.decided(name for name in names if not self._is_waiting(name))
        return problem

    def _affected(self, decision: Decision) -> list[str]:
        """Names whose decision may be new."""
        if decision.changed is not None and decision.since == self.serial:
            return sorted(decision.changed)
        states = {name: state.decision for name, state in self._states.items()}
        undecided = self.cold.undecided()
        names = states.keys() | decision.models.keys() | undecided
        return sorted(name for name in names if name in undecided or states.get(name) != decision.models.get(name))

    def _is_waiting(self, name: str) -> bool:
        state = self._states.get(name)
        return state is not None and state.decision.is_waiting

    def _apply_model(self, name: str, model: ModelDecision | None, *, is_small: bool) -> str | None:
        old = self._states.get(name)
        if model is None:
            self._remove(name)
            return None
        self._recent.hold(name, is_held=model.wish == "load")
        is_wanted = name in self._recent or self._recent.is_held(name) or (is_small and self._recent.has_room)
        try:
            kept = self.loader.load(name, model, old) if is_wanted and model.can_load and not model.is_waiting else {}
        except LOAD_ERRORS as error:
            return f"cannot load {name}: {error}"
        self._install(name, model, kept)
        self._note_swap(name, model, old)
        return None

    def _load_cold(self, name: str) -> ModelState:
        """Load a model that is decided on. Returns its state, also if nothing can be loaded. Raises NotReady."""
        while True:
            state = self.state(name)
            if state.live is not None or state.decision.is_waiting or not state.decision.can_load:
                return state
            try:
                kept = self.loader.load(name, state.decision, None)
            except LOAD_ERRORS as error:
                if self._states.get(name) is state:
                    logger.warning("cannot load %s: %s", name, error)
                    if isinstance(error, OSError):
                        self.ask(name, None)  # a content that the store has lost is stored again
                    raise NotReady(f"no version of {name} can be served: {error}") from None
                continue
            with self._lock:
                if self._states.get(name) is state:
                    return self._install(name, state.decision, kept)

    def _install(self, name: str, model: ModelDecision, kept: dict[int, LiveModel]) -> ModelState:
        """Serve the loaded versions of a model, none if it is not loaded, and put others away for it."""
        live = kept[model.live.number] if model.live is not None and kept else None
        if name not in self._states:
            self._sorted = None
        state = self._states[name] = ModelState(live, kept, model)
        if live is None and name in self._recent:
            self._recent.discard(name)
            self.loader.tallies.put_away(name)
        for other in self._recent.add(name) if live is not None else ():
            self._states[other] = ModelState(None, {}, self._states[other].decision)
            self._recent.discard(other)
            self.loader.tallies.put_away(other)
            self.evictions += 1
        return state

    def _note_swap(self, name: str, model: ModelDecision, old: ModelState | None) -> None:
        before = old.decision.live if old is not None and not old.decision.is_waiting else None
        if model.live is not None and not model.is_waiting and model.live != before:
            logger.info("%s/%d is live", name, model.live.number)
            self._counts[counted_as(self._counts, name)].reloads += before is not None
        self.loader.tallies.forget(name, model.kept)

    def _remove(self, name: str) -> None:
        self._states.pop(name, None)
        self.loader.tallies.forget(name, ())
        self._recent.discard(name)
        self._recent.hold(name, is_held=False)
        self._sorted = None


async def _done(load: Future[ModelState]) -> ModelState:
    # A request that is cancelled must not cancel the load that others wait for.
    return await asyncio.shield(asyncio.wrap_future(load))


def _why_not_live(name: str, state: ModelState) -> str:
    if state.decision.wish == "unload":
        return f"{name} was unloaded; POST /v2/repository/models/{name}/load loads it again"
    if state.decision.can_load:
        return f"{name} is not loaded yet"
    return f"no version of {name} can be served: {state.decision.reason() or 'no version is published'}"
