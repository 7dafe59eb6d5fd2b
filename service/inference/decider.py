"""Decide which versions are live: watch the repository, test new versions, and publish the decision to the workers.

One process decides: the parent of the workers, or the only process. Pins are read before new versions are tested. A
long test continues in the background while the repository is read again. In a large repository a model is examined when
it is asked for: see `Roster`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from operator import itemgetter
from pathlib import Path
from queue import Empty, SimpleQueue

from artifact import ArtifactError
from artifact.choice import Version
from artifact.repository import check_signature
from artifact.tester import SelfTester
from service.inference.decision import SMALL, Decision, ModelDecision, Wish, log_change
from service.inference.examiner import Examiner
from service.inference.roster import Roster
from service.inference.store import Store
from service.inference.watched import Watched

logger = logging.getLogger("lagcast")

POLL_SECONDS = 0.05  # between two looks while a test goes on
LOOK_SECONDS = 0.5  # maximum time of tests before pins are read again
LESS_SECONDS = 0.45  # so much less if requests wait; some time is left, because they may come without end
SETTLE_SECONDS = 2.0  # to test versions that are not live, before the first request is answered
SHOWN = 10  # reasons in an error text
REST = 60  # the pause between two looks in CPU times of a look, so that watching takes less than 2 % of a core
LONGEST_REST = 0.75  # but at most this part of the time until a new version must be live

Listener = Callable[[Decision], str | None]  # returns why the decision cannot be served in full, or None


class Decider:
    """The decision about versions of one repository.

    keys are what cards and pins must be signed with, if there are any. required: names that are examined at the start.
    test_seconds: for the first test of a version, doubled with each further attempt. clock gives seconds that never go
    back.
    """

    def __init__(
        self,
        models_dir: Path,
        store: Store,
        tester: SelfTester,
        keys: Sequence[bytes] = (),
        *,
        required: Sequence[str] = (),
        test_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._tester = tester
        self._keys = keys
        self._clock = clock
        self._examiner = Examiner(models_dir, store, tester, keys, test_seconds=test_seconds, clock=clock)
        last = store.read_decision() or Decision(0, {})
        self._last_serial = last.serial  # of the earlier process: a worker must not take another decision for this one
        self._roster = Roster(models_dir, keys, required, _last_known_good(last), self._restore)
        self._asked: SimpleQueue[tuple[str, Wish | None]] = SimpleQueue()
        self._open: dict[str, Watched] = {}  # asked for, and not known yet what to serve
        self._answered: set[str] = set()  # asked for, and known: told even if nothing has changed
        self._wake = threading.Event()
        self._has_listener = False
        self.decision = Decision(0, {})
        self.failed_loads = self._examiner.failed_loads
        self._listener: Listener = lambda _: None
        self._passed_on = 0
        self._unswept = 0  # decisions since contents were deleted
        self._swept: set[str] = set()  # contents in use then: a worker may still be about to load one

    def _restore(self, name: str, live: Version) -> Version | None:
        """A version that was live in an earlier process, if the store still has it undamaged."""
        try:
            check_signature(self._store.load(live.sha256), name, live.number, self._keys)
        except (OSError, ValueError, ArtifactError) as error:
            logger.warning("cannot use the last known good %s/%d: %s", name, live.number, error)
            return None
        return live

    def settle(self) -> None:
        """Look until each watched model has a live version, or none that can be. In a large repository these are the
        required ones, or a first good one. Raises ArtifactError if nothing can be served.

        Other tests are waited for SETTLE_SECONDS only.
        """
        begin = self._clock()
        while self.look() or self.is_testing or self._open:
            if all(model.current for model in self._roster.models.values()) and self._clock() - begin > SETTLE_SECONDS:
                break
            self._examiner.collect(0.1)
        for name in islice(sorted(self._roster.waiting), SMALL):
            if self._is_anything_live():
                break
            self.ask(name)
            self.answer()
            while self._open:  # the self-test process starts with the first test
                self._examiner.collect(0.1)
                self.answer()
        if not self._is_anything_live():
            problem = self._roster.problem
            reasons = [problem] if problem else list(self.decision.reasons())
            raise ArtifactError("; ".join(reasons[:SHOWN]) or "no model is published")

    def _is_anything_live(self) -> bool:
        return any(model.live for model in self.decision.models.values() if not model.is_waiting)

    def begin(self, listener: Listener) -> None:
        """Pass the decision to a listener, now and after every change. Log changes from now on."""
        self._listener = listener
        self._has_listener = self._examiner.is_logging = True
        for name, model in sorted(self.decision.models.items(), key=itemgetter(0)):
            for version, reason in model.refused.items():
                logger.warning("refused %s/%d: %s", name, version, reason)
            log_change(name, ModelDecision(), model)
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
        threading.Thread(target=self._watch, args=(stop, seconds), daemon=True).start()
        try:
            yield
        finally:
            stop.set()
            self._wake.set()
            self._tester.stop()

    def _watch(self, stop: threading.Event, seconds: float) -> None:
        due = 0.0
        while not stop.is_set():
            self._wake.clear()
            try:
                if time.monotonic() < due:
                    self.answer()
                else:
                    due = time.monotonic() + self._look_and_rest(seconds)
            except Exception:  # the thread must survive any error: without it no new version would go live
                logger.exception("cannot look into the model repository")
                due = time.monotonic() + seconds / 4
            pause = due - time.monotonic()
            self._wake.wait(max(min(pause, POLL_SECONDS) if self.is_testing or self._open else pause, 0))

    def _look_and_rest(self, seconds: float) -> float:
        """Look once. Returns the pause until the next look."""
        begin = time.thread_time()
        if self.look():
            return 0
        return max(seconds / 4, min(REST * (time.thread_time() - begin), LONGEST_REST * seconds))

    def ask(self, name: str, wish: Wish | None = None) -> None:
        """Ask for a decision about a model, or to keep it loaded or unloaded. May be called from any thread.

        The next decision that has the name among `changed` is the answer, even if there is no such model.
        """
        self._asked.put((name, wish))
        self._wake.set()

    def look(self) -> bool:
        """Read the repository once and test what is new. Returns whether tests are left."""
        self._examiner.collect(0)
        due = self._roster.read()
        self._answer()
        pinned = [model for model in due if model.pin is not None]
        others = [model for model in due if model.pin is None and model.name not in self._open]
        until = self._clock() + LOOK_SECONDS
        is_left = self._test(pinned, until)
        self._roster.note(pinned)
        self._decide()
        is_left = self._test(sorted(others, key=lambda model: model.current is not None), until) or is_left
        self._roster.note(others)
        self._decide()
        return is_left

    def answer(self) -> None:
        """Examine the models that were asked for, without a look at the others."""
        self._examiner.collect(0)
        self._answer()
        self._decide()

    def _answer(self) -> None:
        self._wake.clear()
        with suppress(Empty):
            while True:
                self._take(*self._asked.get_nowait())
        until = self._clock() + LOOK_SECONDS
        for name, model in list(self._open.items()):
            if self._clock() >= until:  # thousands are asked for: the repository is looked at in between
                break
            self._test_until_good(model)
            if model.is_answered():
                del self._open[name]
                self._answered.add(name)
                self._roster.note([model])
                self._decide()

    def _take(self, name: str, wish: Wish | None) -> None:
        model = self._roster.open(name)
        if model is None:
            self._answered.add(name)
            self._roster.touched.add(name)
            return
        model.wish = wish or model.wish
        self._open[name] = model

    def _test_until_good(self, model: Watched) -> None:
        """Examine a model's wanted versions until one is good; the others are tested when nobody waits."""
        self._roster.read_model(model)
        for version in model.wanted() if model.problem is None and self._roster.problem is None else ():
            self._examiner.check(model, version)
            if self.is_testing or model.entries[version].good is not None:
                break

    def _test(self, models: Iterable[Watched], until: float) -> bool:
        """Test the wanted versions of some models, until a time. Returns whether some are left."""
        for model in models if self._roster.problem is None else ():
            if model.problem is not None:
                continue
            for version in model.wanted():
                if self._clock() >= until - (LESS_SECONDS if self._wake.is_set() else 0):
                    return True
                self._examiner.check(model, version)
        return False

    def _decide(self) -> None:
        """Decide on the models that were touched. If a decision has changed, store it and pass it on."""
        before, problem = self.decision, self._roster.problem
        changed = {name: model for name, model in self._decide_each() if self._is_news(name, model)}
        self._answered -= changed.keys()
        if not changed and problem == before.problem and before.serial:
            self._store.write_decision(self.decision)
            self._pass_on()
            return
        serial = max(before.serial, self._last_serial) + 1
        self.decision = before.next(serial, changed, problem)
        if self._has_listener:
            for name, model in changed.items():
                log_change(name, before.models.get(name, ModelDecision()), model or ModelDecision())
            self._pass_on()  # first: requests wait for it
        self._store.write_decision(self.decision)
        self._sweep(before)

    def _decide_each(self) -> Iterator[tuple[str, ModelDecision | None]]:
        touched, self._roster.touched = self._roster.touched, set()
        for name in sorted(touched):
            if name not in self._open or not self._is_waiting(name):
                yield name, self._roster.decide(name)

    def _is_waiting(self, name: str) -> bool:
        model = self.decision.models.get(name)
        return model is not None and model.is_waiting

    def _is_news(self, name: str, model: ModelDecision | None) -> bool:
        return name in self._answered or model != self.decision.models.get(name)

    def _sweep(self, before: Decision) -> None:
        """Delete contents that are no longer used, after a number of changes that pays for the listing."""
        self._unswept += 1
        if len(self.decision.models) <= SMALL or self._unswept > len(self.decision.models):
            kept = self.decision.contents() | self._roster.contents()
            self._store.forget_all_but(kept | before.contents() | self._swept | {self._examiner.tested or ""})
            self._unswept, self._swept = 0, kept if len(self.decision.models) > SMALL else set()


def _last_known_good(last: Decision) -> Mapping[str, ModelDecision]:
    """What was live when the last process ended, to start from."""
    return {
        name: ModelDecision(model.live, model.kept, is_waiting=True, wish=model.wish)
        for name, model in last.models.items()
        if model.live is not None
    }
