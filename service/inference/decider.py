"""Decide which versions are live: watch the repository, test new versions, and publish the decision to the workers.

One process decides: the parent of the workers, or the only process. Pins are read before new versions are tested. A
long test continues in the background while the repository is read again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from artifact import ArtifactError
from artifact.choice import Version
from artifact.pins import read_pin
from artifact.repository import Unreadable, check_signature, list_versions, names
from artifact.tester import SelfTester
from service.inference.decision import Decision, ModelDecision
from service.inference.examiner import Examiner
from service.inference.store import Store
from service.inference.watched import Watched

logger = logging.getLogger("lagcast")

POLL_SECONDS = 0.05  # between two looks while a test goes on
LOOK_SECONDS = 0.5  # maximum time of tests before pins are read again
SETTLE_SECONDS = 2.0  # to test versions that are not live, before the first request is answered
SHOWN = 10  # reasons in an error text


Listener = Callable[[Decision], str | None]  # returns why the decision cannot be served in full, or None


class Decider:
    """The decision about versions of one repository.

    keys are what cards and pins must be signed with, if there are any. test_seconds: for the first test of a version,
    doubled with each further attempt. clock gives seconds that never go back.
    """

    def __init__(
        self,
        models_dir: Path,
        store: Store,
        tester: SelfTester,
        keys: Sequence[bytes] = (),
        *,
        test_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models_dir = models_dir
        self._store = store
        self._tester = tester
        self._keys = keys
        self._clock = clock
        self._examiner = Examiner(models_dir, store, tester, keys, test_seconds=test_seconds, clock=clock)
        self._models: dict[str, Watched] = {}
        self._problem: str | None = None
        self._has_listener = False
        self.decision = Decision(0, {})
        self.failed_loads = self._examiner.failed_loads
        self._listener: Listener = lambda _: None
        self._passed_on = 0
        self._remember_last_known_good()

    def _remember_last_known_good(self) -> None:
        """Start from the versions that were live when the last process ended, if the store still has them undamaged."""
        before = self._store.read_decision()
        for name, model in before.models.items() if before is not None else ():
            if model.live is None:
                continue
            try:
                content = self._store.load(model.live.sha256)
                check_signature(content, name, model.live.number, self._keys)
            except (OSError, ValueError, ArtifactError) as error:
                logger.warning("cannot use the last known good %s/%d: %s", name, model.live.number, error)
                continue
            self._models[name] = Watched(name, current=Version(*model.live))

    def settle(self) -> None:
        """Look until each model has a live version, or none that can be. Raises ArtifactError if nothing can be served.

        Other tests are waited for SETTLE_SECONDS only.
        """
        begin = self._clock()
        while self.look() or self.is_testing:
            if all(model.current for model in self._models.values()) and self._clock() - begin > SETTLE_SECONDS:
                break
            self._examiner.collect(0.1)
        if not any(model.live for model in self.decision.models.values()):
            reasons = [self._problem] if self._problem else list(_reasons(self.decision))
            raise ArtifactError("; ".join(reasons[:SHOWN]) or "no model is published")

    def begin(self, listener: Listener) -> None:
        """Pass the decision to a listener, now and after every change. Log changes from now on."""
        self._listener = listener
        self._has_listener = self._examiner.is_logging = True
        for name, model in self.decision.models.items():
            for version, reason in model.refused.items():
                logger.warning("refused %s/%d: %s", name, version, reason)
            _log_change(name, ModelDecision(), model)
        self._pass_on()

    def _pass_on(self) -> None:
        """Pass the decision to the listener, and again at the next look if it could not be served in full."""
        if self._has_listener and self._passed_on != self.decision.serial and self._listener(self.decision) is None:
            self._passed_on = self.decision.serial

    @property
    def is_testing(self) -> bool:
        """Whether a test is running."""
        return self._examiner.tested is not None

    @contextmanager
    def watching(self, seconds: float, listener: Listener) -> Iterator[None]:
        """Watch the repository while the context is open; a new version is decided on within `seconds`."""
        stop = threading.Event()
        self.begin(listener)
        # A daemon thread: a repository that hangs must not delay the end of the process.
        threading.Thread(target=self._watch, args=(stop, seconds / 4), daemon=True).start()
        try:
            yield
        finally:
            stop.set()
            self._tester.stop()

    def _watch(self, stop: threading.Event, pause: float) -> None:
        while not stop.is_set():
            try:
                if self.look():
                    continue
            except Exception:  # the thread must survive any error: without it no new version would go live
                logger.exception("cannot look into the model repository")
            stop.wait(min(pause, POLL_SECONDS) if self.is_testing else pause)

    def look(self) -> bool:
        """Read the repository once and test what is new. Returns whether tests are left."""
        self._examiner.collect(0)
        self._read_repository()
        pinned = [model for model in self._models.values() if model.pin is not None]
        others = [model for model in self._models.values() if model.pin is None]
        until = self._clock() + LOOK_SECONDS
        is_left = self._test(pinned, until)
        self._decide()
        is_left = self._test(sorted(others, key=lambda model: model.current is not None), until) or is_left
        self._decide()
        return is_left

    def _read_repository(self) -> None:
        try:
            found = names(self._models_dir)
        except OSError as error:
            self._note_problem(error.strerror or str(error))
            return  # its content is unknown now, so nothing changes
        self._note_problem(None)
        for name in found:
            self._models.setdefault(name, Watched(name))
        for name, model in list(self._models.items()):
            self._read_model(model)
            if not model.versions and model.current is None and model.problem is None:
                del self._models[name]

    def _note_problem(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            logger.warning("cannot read the model repository %s: %s", self._models_dir, problem)
        self._problem = problem

    def _read_model(self, model: Watched) -> None:
        try:
            model.versions = list_versions(self._models_dir, model.name)
            model.problem = None
        except Unreadable as error:
            model.problem = str(error)
            return
        try:
            model.pin = read_pin(self._models_dir, model.name, self._keys)
        except Unreadable:
            if model.versions:
                return  # the folder has just been removed: keep the state until the next look
            model.pin = None
        for gone in model.entries.keys() - set(model.versions):
            del model.entries[gone]

    def _test(self, models: Iterable[Watched], until: float) -> bool:
        """Test the wanted versions of some models, until a time. Returns whether some are left."""
        for model in models if self._problem is None else ():
            if model.problem is not None:
                continue
            for version in model.wanted():
                if self._clock() >= until:
                    return True
                self._examiner.check(model, version)
        return False

    def _decide(self) -> None:
        """Decide. If the decision has changed, store it, pass it on, and delete contents that are no longer used."""
        is_away = self._problem is not None
        models = {name: model.decide(is_away=is_away) for name, model in sorted(self._models.items())}
        before = self.decision
        if models == before.models and self._problem == before.problem and before.serial:
            self._pass_on()
            return
        self.decision = Decision(before.serial + 1, models, self._problem)
        try:
            self._store.write_decision(self.decision)
        except OSError as error:
            logger.warning("cannot store the decision about versions: %s", error.strerror)
        if self._has_listener:
            for name, model in models.items():
                _log_change(name, before.models.get(name, ModelDecision()), model)
            self._pass_on()
        tested = {self._examiner.tested or ""}
        self._store.forget_all_but(self.decision.contents() | before.contents() | tested)


def _reasons(decision: Decision) -> Iterator[str]:
    for name, model in decision.models.items():
        outcomes = {**model.unknown, **model.refused}
        reason = model.problem or model.pin_problem or (outcomes[max(outcomes)] if outcomes else None)
        yield reason or f"{name}: no version is published"


def _log_change(name: str, before: ModelDecision, now: ModelDecision) -> None:
    if now.pin_problem is not None and now.pin_problem != before.pin_problem:
        logger.warning("the pin of %s is not obeyed, the live version stays: %s", name, now.pin_problem)
    if now.problem is not None and now.problem != before.problem:
        logger.warning("cannot read the model %s: %s", name, now.problem)
    if now.live is not None and not now.in_repository and (before.in_repository or before.live != now.live):
        logger.warning("%s/%d is served from memory: it is not in the repository", name, now.live.number)
