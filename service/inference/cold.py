"""Cold loads: a model that is not loaded is loaded once, in a thread, however many requests ask for it.

One thread loads: loads compete for the GIL anyway. It is a daemon, unlike those of a ThreadPoolExecutor: the process
must be able to end though a load hangs, or thousands are left. It is not the one that decides, whose memory is kept
while that of loaded models comes and goes: in the same heap, this would leave gaps of 100 MB between 10,000 models. Nor
does it ever end: another one would have another heap, and the memory of the models that are put away would be gaps in
that of the first, 200 MB of 1,000 models.
Decisions and loads are taken in turn by client, so that a client that asks for thousands of models does not delay
another one that asks for one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Full, SimpleQueue
from typing import Generic, TypeVar

from service.inference.errors import TooManyColdLoads
from service.inference.fair_queue import CLIENT, FairQueue

logger = logging.getLogger("lagcast")

ASKED_AT_ONCE = 4  # decisions that are waited for; the decider, which takes them first in, first out, is kept busy
MOST_PER_CLIENT = 1000  # models that wait; at 5 to 10 ms each, the last one is there in 5 to 10 seconds
Loaded = TypeVar("Loaded")


@dataclass
class _Load(Generic[Loaded]):
    """A load in progress, and the clients that wait for it."""

    future: Future[Loaded] = field(default_factory=Future)
    begun: float = field(default_factory=time.perf_counter)
    clients: set[str] = field(default_factory=set)


class ColdLoads(Generic[Loaded]):
    """The loads that are in progress, by the model's name.

    load: loads a model; called in a thread. ask: asks for the decision that a model waits for. count, seconds: of the
    finished ones, and how long they took together, from the first request on.
    """

    def __init__(self, load: Callable[[str], Loaded], ask: Callable[[str], None]) -> None:
        self._load = load
        self._ask = ask
        self._lock = threading.Lock()
        self._running: dict[str, _Load[Loaded]] = {}
        self.count, self.seconds = 0, 0.0
        self._undecided: set[str] = set()
        self._asked: set[str] = set()  # those of the undecided ones whose decision was asked for
        self._to_ask: FairQueue[str] = FairQueue()  # may have names that were decided on since
        self._to_load: FairQueue[str] = FairQueue()  # may have names that were loaded since, for another client
        self._turns: SimpleQueue[None] = SimpleQueue()  # an item wakes the thread
        self._has_thread = self._is_working = False
        self.is_waiting = threading.Event()  # set while a decision is waited for

    def start(self, name: str, *, is_decided: bool) -> Future[Loaded]:
        """Load a model, now or as soon as `decided` is called for it. Returns the load that is in progress, if any.

        Raises TooManyColdLoads if MOST_PER_CLIENT models wait for this client.
        """
        with self._lock:
            load = self._running.get(name)
            if load is None:
                self._queue(name, load := _Load(), is_decided=is_decided)
                self._running[name] = load
                if not is_decided:
                    self._undecided.add(name)
                    self.is_waiting.set()
            else:
                self._queue(name, load, is_decided=name not in self._undecided)
        self._go_on()
        return load.future

    def _queue(self, name: str, load: _Load[Loaded], *, is_decided: bool) -> None:
        client = CLIENT.get()
        if client not in load.clients:
            try:
                (self._to_load if is_decided else self._to_ask).put(client, name, MOST_PER_CLIENT)
            except Full:
                message = f"{MOST_PER_CLIENT} models that are not loaded wait for this client; try again"
                raise TooManyColdLoads(message) from None
            load.clients.add(client)

    def undecided(self) -> set[str]:
        """Names whose decision is waited for."""
        with self._lock:
            return set(self._undecided)

    def decided(self, names: Iterable[str]) -> None:
        """Go on with the loads of models that were decided on."""
        with self._lock:
            now = self._undecided.intersection(names)
            self._undecided -= now
            self._asked -= now
            if not self._undecided:
                self.is_waiting.clear()
            for name in now:
                for client in self._running[name].clients:
                    self._to_load.put(client, name)
        self._go_on()

    def _go_on(self) -> None:
        """Ask for the next decisions, and load what is decided on."""
        with self._lock:
            names = list(self._next_to_ask())
            if self._to_load and not self._is_working and self._has_worker():
                self._is_working = True
                self._turns.put(None)
        for name in names:
            self._ask(name)

    def _has_worker(self) -> bool:
        """Start the thread that loads, if there is none. If it cannot be started, the next request tries again."""
        try:
            if not self._has_thread:
                threading.Thread(target=self._work, name="load", daemon=True).start()
                self._has_thread = True
        except RuntimeError as error:  # too many processes and threads
            logger.warning("cannot load models: %s", error)
        return self._has_thread

    def _next_to_ask(self) -> Iterator[str]:
        while self._to_ask and len(self._asked) < ASKED_AT_ONCE:
            name = self._to_ask.take()
            if name in self._undecided and name not in self._asked:
                self._asked.add(name)
                yield name

    def _work(self) -> None:
        while True:
            self._turns.get()
            while (name := self._next_to_load()) is not None:
                self._run(name)

    def _next_to_load(self) -> str | None:
        with self._lock:
            while self._to_load:
                name = self._to_load.take()
                if name in self._running and name not in self._undecided:
                    return name
            self._is_working = False
            return None

    def _run(self, name: str) -> None:
        try:
            loaded, error = self._load(name), None
        except Exception as raised:  # noqa: BLE001  # raised again where the load is waited for
            error = raised
        with self._lock:
            load = self._running.pop(name)
            self.count += 1
            self.seconds += time.perf_counter() - load.begun
        if error is None:
            load.future.set_result(loaded)
        else:
            load.future.set_exception(error)
