"""Cold loads: a model that is not loaded is loaded once, in a thread, however many requests ask for it.

One thread loads: loads compete for the GIL anyway. It is a daemon, unlike those of a ThreadPoolExecutor: the process
must be able to end though a load hangs, or thousands are left.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


class ColdLoads(Generic[Loaded]):
    """The loads that are in progress, by the model's name.

    load: loads a model; called in a thread. ask: asks for the decision that a model waits for. count, seconds: of the
    finished ones, and how long they took together, from the first request on.
    """

    def __init__(self, load: Callable[[str], Loaded], ask: Callable[[str], None]) -> None:
        self._load = load
        self._ask = ask
        self._lock = threading.Lock()
        self._running: dict[str, Future[Loaded]] = {}
        self._begun: dict[str, float] = {}
        self.count, self.seconds = 0, 0.0
        self._undecided: set[str] = set()
        self._queue: deque[str] = deque()
        self._is_working = False
        self.is_waiting = threading.Event()  # set while a decision is waited for

    def start(self, name: str, *, is_decided: bool) -> Future[Loaded]:
        """Load a model, now or as soon as `decided` is called for it. Returns the load that is in progress, if any."""
        with self._lock:
            future = self._running.get(name)
            if future is not None:
                return future
            future = self._running[name] = Future()
            self._begun[name] = time.perf_counter()
            if not is_decided:
                self._undecided.add(name)
                self.is_waiting.set()
        self._submit(name) if is_decided else self._ask(name)
        return future

    def undecided(self) -> set[str]:
        """Names whose decision is waited for."""
        with self._lock:
            return set(self._undecided)

    def decided(self, names: Iterable[str]) -> None:
        """Go on with the loads of models that were decided on."""
        with self._lock:
            now = self._undecided.intersection(names)
            self._undecided -= now
            if not self._undecided:
                self.is_waiting.clear()
        for name in now:
            self._submit(name)

    def _submit(self, name: str) -> None:
        with self._lock:
            self._queue.append(name)
            if not self._is_working:
                threading.Thread(target=self._work, name="load", daemon=True).start()
                self._is_working = True

    def _work(self) -> None:
        """Load what is asked for until nothing is left."""
        while True:
            with self._lock:
                if not self._queue:
                    self._is_working = False
                    return
                name = self._queue.popleft()
            self._run(name)

    def _run(self, name: str) -> None:
        try:
            loaded, error = self._load(name), None
        except Exception as raised:  # noqa: BLE001  # raised again where the load is waited for
            error = raised
        with self._lock:
            future = self._running.pop(name)
            self.count += 1
            self.seconds += time.perf_counter() - self._begun.pop(name)
        if error is None:
            future.set_result(loaded)
        else:
            future.set_exception(error)
