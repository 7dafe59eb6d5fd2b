"""Decide about versions: watch the repository, test what is new, and say which content is live for every worker.

One process decides: the parent of the workers, or the one process. It looks at pins first, then at what is new; a test
that takes long goes on while it looks again.
"""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from artifact import ArtifactError
from artifact.choice import Version
from artifact.pins import read_pin
from artifact.repository import (
    Content,
    Fingerprint,
    Unreadable,
    check_signature,
    fingerprint,
    list_versions,
    names,
    read_version,
)
from artifact.tester import Question, SelfTester, Verdict
from service.inference.decision import Decision, ModelDecision
from service.inference.store import Store
from service.inference.watched import Entry, Watched

logger = logging.getLogger("lagcast")

LOOK_SECONDS = 0.5  # of tests at a time, then pins are read again
WAIT_SECONDS = 0.5  # for one test, which takes some milliseconds once the process runs; then it goes on by itself
MAX_TEST_SECONDS = 60.0
RETRY_SECONDS = 0.5  # until an unknown version is tried again; doubled with each attempt
MAX_RETRY_SECONDS = 300.0
TICK_NS = 20_000_000  # files that changed less than this before they were read can change again unnoticed: read again
REMEMBERED = 10_000  # outcomes by content
SHOWN = 10  # reasons in an error text


_Key = tuple[str, int, str]  # name, version and content: a card that is good in one place is wrong in another


Listener = Callable[[Decision], str | None]  # says why a decision cannot be served in full, or None


class _Asked(NamedTuple):
    """The version that the tester is at."""

    name: str
    version: int
    files: Fingerprint | None
    sha256: str
    rank: int


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
        self._test_seconds = test_seconds
        self._clock = clock
        self._models: dict[str, Watched] = {}
        self._asked: _Asked | None = None
        self._outcomes: dict[_Key, str | None] = {}  # None: good; else why it is bad
        self._problem: str | None = None
        self._is_told = False
        self.decision = Decision(0, {})
        self.failed_loads: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._listener: Listener = lambda _: None
        self._passed_on = 0
        self._remember_last_known_good()

    def _remember_last_known_good(self) -> None:
        """Start from what was live when an earlier process ended, if the store outlived it and it is whole."""
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
        """Look until every model is live or known not to be. Raises ArtifactError if nothing can be served.

        A test that takes long is only waited for where a model has nothing else that is live.
        """
        while self.look() or (self._asked is not None and not all(model.current for model in self._models.values())):
            self._collect(0.1)
        if not any(model.live for model in self.decision.models.values()):
            reasons = [self._problem] if self._problem else list(_reasons(self.decision))
            raise ArtifactError("; ".join(reasons[:SHOWN]) or "no model is published")

    def begin(self, listener: Listener) -> None:
        """Pass the decision to a listener, now and whenever it changes, and log from now on."""
        self._listener = listener
        self._is_told = True
        for name, model in self.decision.models.items():
            for version, reason in model.refused.items():
                logger.warning("refused %s/%d: %s", name, version, reason)
            _log_change(name, ModelDecision(), model)
        self._pass_on()

    def _pass_on(self) -> None:
        """Tell the listener of a decision, and again at the next look if it could not serve it in full."""
        if self._is_told and self._passed_on != self.decision.serial and self._listener(self.decision) is None:
            self._passed_on = self.decision.serial

    @property
    def is_testing(self) -> bool:
        """Whether a test goes on."""
        return self._asked is not None

    @contextmanager
    def watching(self, seconds: float, listener: Listener) -> Iterator[None]:
        """Follow the repository while the context is open: what is published is decided within so many seconds."""
        stop = threading.Event()
        self.begin(listener)
        # A thread of its own that ends with the process: a repository that hangs must not hold up the end.
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
            except Exception:  # whatever it is: without this thread no new version would ever be live again
                logger.exception("cannot look into the model repository")
            if self._asked is None:
                stop.wait(pause)
            else:
                stop.wait(min(pause, 0.05))

    def look(self) -> bool:
        """Look into the repository once; whether there is more to test at once."""
        self._collect(0)
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
            self._note_problem(f"{self._models_dir}: {error.strerror}")
            return  # nothing is known of it now, so nothing changes
        self._note_problem(None)
        for name in found:
            self._models.setdefault(name, Watched(name))
        for name, model in list(self._models.items()):
            self._read_model(model)
            if not model.versions and model.current is None and model.problem is None:
                del self._models[name]

    def _note_problem(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            logger.warning("cannot read the model repository: %s", problem)
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
                return  # the folder has just gone: what is known stays until the next look
            model.pin = None
        for gone in model.entries.keys() - set(model.versions):
            del model.entries[gone]

    def _test(self, models: Iterable[Watched], until: float) -> bool:
        """Bring the wanted versions of some models up to date, until a time; whether some are left."""
        for model in models if self._problem is None else ():
            if model.problem is not None:
                continue
            for version in model.wanted():
                if self._clock() >= until:
                    return True
                self._check(model, version)
        return False

    def _check(self, model: Watched, version: int) -> None:
        """Bring a version's outcome up to date, if its files have changed or an accident may be over."""
        entry = model.entries.setdefault(version, Entry())
        files = fingerprint(self._models_dir, model.name, version)
        if files is None or files != entry.files:
            if entry.is_settled or files is not None:
                entry.is_settled, entry.attempts, entry.retry_at = False, 0, 0.0
        elif entry.is_settled:
            return
        if self._clock() < entry.retry_at or self._is_asked(model.name, version, files):
            return
        now_ns = time.time_ns()
        try:
            content = read_version(self._models_dir, model.name, version)
            check_signature(content, model.name, version, self._keys)
        except ArtifactError as error:
            self._refuse(model, version, str(error), "verification")
        except Unreadable as error:
            self._put_off(entry, f"{model.name}/{version}: {error}" if "/" not in str(error) else str(error))
        else:
            self._test_content(model, version, files, content)
        changed = max((file[-1] for file in files), default=0) if files else 0
        entry.files = None if 0 <= now_ns - changed < TICK_NS else files

    def _is_asked(self, name: str, version: int, files: Fingerprint | None) -> bool:
        asked = self._asked
        return asked is not None and (asked.name, asked.version, asked.files) == (name, version, files)

    def _test_content(self, model: Watched, version: int, files: Fingerprint | None, content: Content) -> None:
        entry, key = model.entries[version], (model.name, version, content.sha256)
        known_bad = self._outcomes.get(key)
        if known_bad is not None:
            self._refuse(model, version, known_bad, None)
            return
        try:
            folder = self._store.save(content)
        except OSError as error:
            self._put_off(entry, f"{model.name}/{version}: cannot be stored for its test: {error.strerror}")
            return
        if key in self._outcomes:
            self._accept(entry, content.sha256)
            return
        is_pinned = model.pin is not None and model.pin.version == version
        asked = _Asked(model.name, version, files, content.sha256, _rank(entry, is_pinned=is_pinned))
        if self._asked is not None:
            if self._asked.rank <= asked.rank:
                return  # its turn comes
            self._conclude(self._tester.drop())
        self._asked = asked
        seconds = min(self._test_seconds * 2**entry.attempts, MAX_TEST_SECONDS)
        verdict = self._tester.ask(Question(folder, model.name, version, seconds), WAIT_SECONDS)
        if verdict is not None:
            self._conclude(verdict)

    def _collect(self, wait: float) -> None:
        """Take the verdict on the version that is being tested, if there is one by now."""
        if self._asked is not None:
            verdict = self._tester.poll(wait)
            if verdict is not None:
                self._conclude(verdict)

    def _conclude(self, verdict: Verdict) -> None:
        """Note what came of the version that was asked for, if its files are still the same."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        key = (asked.name, asked.version, asked.sha256)
        if verdict.unknown is None:
            _remember(self._outcomes, key, verdict.bad)
        model = self._models.get(asked.name)
        entry = model.entries.get(asked.version) if model is not None else None
        if model is None or entry is None or fingerprint(self._models_dir, asked.name, asked.version) != asked.files:
            return
        if verdict.unknown is not None:
            self._put_off(entry, verdict.unknown)
        elif verdict.bad is not None:
            self._refuse(model, asked.version, verdict.bad, verdict.stage)
        else:
            self._accept(entry, asked.sha256)

    def _accept(self, entry: Entry, sha256: str) -> None:
        entry.good, entry.bad, entry.unknown, entry.is_settled = sha256, None, None, True

    def _refuse(self, model: Watched, version: int, reason: str, stage: str | None) -> None:
        entry = model.entries[version]
        is_new = entry.bad != reason
        entry.good, entry.bad, entry.unknown, entry.is_settled = None, reason, None, True
        if is_new and stage is not None:
            self.failed_loads[model.name][stage] += 1
        if is_new and self._is_told:
            logger.warning("refused %s/%d: %s", model.name, version, reason)

    def _put_off(self, entry: Entry, reason: str) -> None:
        """The outcome is unknown: what was known stays, and the version is tried again later."""
        if entry.unknown != reason and self._is_told:
            logger.warning("not tested yet, to be tried again: %s", reason)
        entry.unknown, entry.bad = reason, None
        entry.retry_at = self._clock() + min(RETRY_SECONDS * 2**entry.attempts, MAX_RETRY_SECONDS)
        entry.attempts += 1

    def _decide(self) -> None:
        """Decide from what is known; if that is new, store it, tell it, and drop contents that nobody needs."""
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
        if self._is_told:
            for name, model in models.items():
                _log_change(name, before.models.get(name, ModelDecision()), model)
            self._pass_on()
        asked = {self._asked.sha256} if self._asked is not None else set()
        self._store.forget_all_but(self.decision.contents() | before.contents() | asked)


def _rank(entry: Entry, *, is_pinned: bool) -> int:
    """Urgency of a test, most urgent first: a pinned version, a new one, and each of them once more."""
    return (0 if is_pinned else 1) + (2 if entry.attempts else 0)


def _remember(outcomes: dict[_Key, str | None], key: _Key, reason: str | None) -> None:
    outcomes[key] = reason
    if len(outcomes) > REMEMBERED:
        del outcomes[next(iter(outcomes))]


def _reasons(decision: Decision) -> Iterator[str]:
    for name, model in decision.models.items():
        outcomes = {**model.unknown, **model.refused}
        reason = model.problem or model.pin_problem or (outcomes[max(outcomes)] if outcomes else None)
        yield reason or f"{name}: no version is published"


def _log_change(name: str, before: ModelDecision, now: ModelDecision) -> None:
    if now.pin_problem is not None and now.pin_problem != before.pin_problem:
        logger.warning("the pin of %s is not obeyed, what is live stays: %s", name, now.pin_problem)
    if now.problem is not None and now.problem != before.problem:
        logger.warning("cannot read the model %s: %s", name, now.problem)
    if now.live is not None and not now.in_repository and (before.in_repository or before.live != now.live):
        logger.warning("%s/%d is served from memory: it is not in the repository", name, now.live.number)
