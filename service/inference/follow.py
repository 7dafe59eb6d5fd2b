"""Sources of decisions: for a worker its parent, through the store; for a single process its own decider."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from service.inference.decider import Decider, Listener
from service.inference.decision import Decision, Wish
from service.inference.lifecycle import Lifecycle
from service.inference.store import Confirmation, Store

logger = logging.getLogger("lagcast")

PAUSE_SECONDS = 0.1  # between two looks at the decision; a look costs two stat calls
WAITING_SECONDS = 0.002  # the same while a request waits for a decision
MIN_GRACE_SECONDS = 4.0  # a worker on a busy machine may not run for a while, which must not fail readiness
START_SECONDS = 60.0  # the parent decides before it starts workers; this is for a store that fails


class Source(Protocol):
    """Where decisions come from."""

    def feeding(self, lifecycle: Lifecycle) -> AbstractContextManager[None]:
        """Apply the first decision, and every later one while the context is open."""


class OwnDecisions(NamedTuple):
    """Decisions of this process; see `Decider`. seconds: longest time until a new version is live."""

    decider: Decider
    store: Store
    seconds: float

    @contextmanager
    def feeding(self, lifecycle: Lifecycle) -> Iterator[None]:
        """Apply the first decision, and every later one while the context is open."""
        lifecycle.ask = self.decider.ask
        with self.decider.watching(self.seconds, self.applying(lifecycle)):
            yield

    def applying(self, lifecycle: Lifecycle) -> Listener:
        """A listener that applies decisions to `lifecycle`."""
        logged: str | None = None

        def apply(decision: Decision) -> str | None:
            nonlocal logged
            lifecycle.note_failures(self.decider.failed_loads)
            problem = lifecycle.apply(decision, self.store.load)
            if problem is not None and problem != logged:
                logger.error("a decided version is not served: %s", problem)
            logged = problem
            return problem

        return apply


class ParentsDecisions(NamedTuple):
    """A worker serves what its parent decided, from the store in `folder`, and confirms it there.

    seconds: longest time until a new version is live. After twice that, and at least MIN_GRACE_SECONDS, workers that
    serve different decisions are not ready. asking: the end of `answering` for models that were not asked for before.
    """

    folder: Path
    seconds: float
    asking: Connection | None = None

    @contextmanager
    def feeding(self, lifecycle: Lifecycle) -> Iterator[None]:
        if self.asking is not None:
            lifecycle.ask = _sender(self.asking)
        follower = Follower(Store(self.folder), lifecycle, self.seconds)
        follower.wait_for_first()
        stop = threading.Event()
        threading.Thread(target=follower.run, args=(stop,), daemon=True).start()
        try:
            yield
        finally:
            stop.set()


def _sender(asking: Connection) -> Callable[[str, Wish | None], None]:
    """A function that asks the parent to decide on a model.

    It does not block, though the pipe may be full because the parent does not read: a thread writes.
    """
    questions: SimpleQueue[bytes] = SimpleQueue()

    def send() -> None:
        with suppress(OSError):  # the parent is gone: the worker is about to end
            while True:
                asking.send_bytes(questions.get())  # one write, which other workers do not split

    threading.Thread(target=send, daemon=True).start()
    return lambda name, wish: questions.put(json.dumps([name, wish]).encode())


@contextmanager
def answering(decider: Decider) -> Iterator[Connection]:
    """Pass what workers ask on to the decider while the context is open; yields the end for the workers."""
    reading, writing = Pipe(duplex=False)
    threading.Thread(target=_pass_on, args=(reading, decider), daemon=True).start()
    with writing:
        yield writing


def _pass_on(reading: Connection, decider: Decider) -> None:
    with reading, suppress(EOFError, OSError):
        while True:
            decider.ask(*json.loads(reading.recv_bytes()))


class Follower:
    """Serves the decisions in a store, one `step` at a time; for `seconds` see `ParentsDecisions`."""

    def __init__(self, store: Store, lifecycle: Lifecycle, seconds: float) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._grace = max(2 * seconds, MIN_GRACE_SECONDS)
        self._pause = min(PAUSE_SECONDS, seconds / 4)
        self._newest = 0
        self._late: dict[int, tuple[int, float]] = {}  # serial and since when, by worker
        self._next_comparison = 0.0
        self._problem: str | None = None
        self._stamp: tuple[int, int, int] | None = None

    def wait_for_first(self) -> None:
        """Serve the first decision. Raises RuntimeError if none can be served."""
        until = time.monotonic() + START_SECONDS
        while not self._lifecycle.serial and time.monotonic() < until:
            self.step()
            if not self._lifecycle.serial:
                time.sleep(self._pause)
        if not self._lifecycle.serial:
            raise RuntimeError(f"no decision about versions can be served: {self._problem}")

    def run(self, stop: threading.Event) -> None:
        """Step again and again until `stop` is set."""
        while not stop.is_set():
            if self._lifecycle.cold.is_waiting.wait(self._pause):
                time.sleep(WAITING_SECONDS)
            try:
                self.step()
            except Exception:  # whatever it is: without this thread no new version would ever be live again
                logger.exception("cannot follow the decision about versions")

    def step(self) -> None:
        """Serve the newest decision, confirm it, and compare with the other workers."""
        stamp = self._store.decision_stamp()
        if stamp != self._stamp or self._problem is not None:
            decision = self._store.read_decision()
            if decision is not None and (decision.serial != self._lifecycle.serial or self._problem is not None):
                self._apply(decision)
            if decision is not None:
                self._stamp = stamp
        if time.monotonic() >= self._next_comparison:
            self._next_comparison = time.monotonic() + self._pause
            self._compare(self._store.confirmations())

    def _apply(self, decision: Decision) -> None:
        self._newest = decision.serial
        problem = self._lifecycle.apply(decision, self._store.load)
        if problem is not None and problem != self._problem:
            logger.error("a decided version is not served: %s", problem)
        self._problem = problem
        self._store.confirm(self._lifecycle.serial, problem)

    def _compare(self, workers: Sequence[Confirmation]) -> None:
        self._lifecycle.confirmed = min((worker.serial for worker in workers), default=0)
        self._lifecycle.disagreement = self._disagreement(workers)

    def _disagreement(self, workers: Sequence[Confirmation]) -> str | None:
        """Why the workers serve different decisions; None until one has made no progress for the grace."""
        now = time.monotonic()
        behind = [worker for worker in workers if worker.serial != self._newest]
        before, self._late = self._late, {}
        for worker in behind:
            serial, since = before.get(worker.pid, (worker.serial, now))
            self._late[worker.pid] = worker.serial, since if serial == worker.serial else now
        for worker in behind:
            if now - self._late[worker.pid][1] >= self._grace:
                which = "this worker" if worker.pid == os.getpid() else f"the worker {worker.pid}"
                return f"{which} does not serve what was decided: {worker.problem or 'it is late'}"
        return None
