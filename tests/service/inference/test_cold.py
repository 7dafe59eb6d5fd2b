"""Cold loads: their order, their number, and that what is left of them does not keep a process from ending."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context

import pytest

from service.inference.cold import ASKED_AT_ONCE, MOST_PER_CLIENT, ColdLoads
from service.inference.errors import TooManyColdLoads
from service.inference.fair_queue import CLIENT

HANGS = """
import threading
from service.inference.cold import ColdLoads

begun = threading.Event()
cold = ColdLoads(lambda name: begun.set() or threading.Event().wait(), print)
for name in ("hangs", "waits"):
    cold.start(name, is_decided=True)
begun.wait()
"""


def test_a_process_ends_though_a_load_hangs_and_others_wait() -> None:
    assert subprocess.run([sys.executable, "-c", HANGS], timeout=60, check=False).returncode == 0


def test_loads_go_on_after_one_that_failed() -> None:
    def load(name: str) -> str:
        if name == "bad":
            raise ValueError(name)
        return name

    cold = ColdLoads(load, print)
    loads = [cold.start(name, is_decided=True) for name in ("bad", "good")]

    assert loads[1].result(60) == "good"
    assert cold.start("good", is_decided=True).result(60) == "good", "after the queue was empty"
    with pytest.raises(ValueError, match="bad"):
        loads[0].result(60)


def as_client(client: str, cold: ColdLoads[str], name: str, *, is_decided: bool) -> Future[str]:
    def start() -> Future[str]:
        CLIENT.set(client)
        return cold.start(name, is_decided=is_decided)

    return copy_context().run(start)


class Loads:
    """Cold loads of which the first one waits until `opened` is set. order: of the loads. asked: for a decision."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.order: list[str] = []
        self.asked: list[str] = []
        self.cold = ColdLoads(self._load, self.asked.append)

    def _load(self, name: str) -> str:
        assert self.opened.wait(60)
        self.order.append(name)
        return name


def test_a_client_does_not_wait_for_the_hundreds_of_loads_of_another() -> None:
    loads = Loads()
    many = [as_client("many", loads.cold, f"m{k}", is_decided=True) for k in range(300)]
    few = as_client("few", loads.cold, "f", is_decided=True)
    shared = as_client("other", loads.cold, "m299", is_decided=True)
    loads.opened.set()

    assert {future.result(60) for future in [few, shared, *many]} == {"f", *(f"m{k}" for k in range(300))}
    assert loads.order.index("f") <= 3
    assert loads.order.index("m299") <= 3, "another client waits for it, too"
    assert len(loads.order) == 301, "each is loaded once"


def test_few_decisions_are_asked_for_at_once_and_those_of_other_clients_next() -> None:
    loads = Loads()
    loads.opened.set()
    many = [as_client("many", loads.cold, f"m{k}", is_decided=False) for k in range(300)]
    few = as_client("few", loads.cold, "f", is_decided=False)
    assert loads.asked == [f"m{k}" for k in range(ASKED_AT_ONCE)]

    for asked in loads.asked:  # grows while it is answered
        loads.cold.decided([asked])

    assert [future.result(60) for future in [few, *many]] == ["f", *(f"m{k}" for k in range(300))]
    assert loads.asked.index("f") <= ASKED_AT_ONCE + 1
    assert len(loads.asked) == 301
    assert loads.cold.undecided() == set()


def test_what_was_decided_before_it_was_asked_for_is_loaded_and_not_asked_for() -> None:
    loads = Loads()
    loads.opened.set()
    many = [as_client("many", loads.cold, f"m{k}", is_decided=False) for k in range(300)]

    loads.cold.decided(f"m{k}" for k in range(300))

    assert [future.result(60) for future in many] == [f"m{k}" for k in range(300)]
    assert len(loads.asked) == ASKED_AT_ONCE
    assert not loads.cold.is_waiting.is_set()


@pytest.mark.parametrize("is_decided", [True, False])
def test_a_client_for_which_too_many_models_wait_is_refused_and_others_are_not(is_decided: bool) -> None:  # noqa: FBT001  # a parameter of the test
    loads = Loads()
    names = (f"m{k}" for k in range(MOST_PER_CLIENT + 10))
    with pytest.raises(TooManyColdLoads, match="1000 models that are not loaded wait for this client"):
        [as_client("many", loads.cold, name, is_decided=is_decided) for name in names]
    held = as_client("many", loads.cold, "m7", is_decided=is_decided)
    few = as_client("few", loads.cold, "f", is_decided=is_decided)
    loads.opened.set()
    for asked in loads.asked:
        loads.cold.decided([asked])

    assert (few.result(60), held.result(60)) == ("f", "m7")


class Where:
    """Cold loads that note the thread of each load."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.cold = ColdLoads(self._load, lambda _: None)

    def _load(self, name: str) -> str:
        self.threads.append(threading.current_thread())
        return name

    def load(self, name: str) -> None:
        """Load a model that is decided on by this thread."""
        future = self.cold.start(name, is_decided=False)
        self.cold.decided([name])
        assert future.result(60) == name


def test_one_thread_loads_which_is_not_the_one_that_decides() -> None:
    where = Where()
    where.load("first")
    where.load("second")

    first, second = where.threads
    assert first is second
    assert first is not threading.current_thread()


def test_loads_go_on_though_no_thread_could_be_started_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    where = Where()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", raises(RuntimeError("can't start new thread")))
        first = where.cold.start("first", is_decided=True)
    assert not first.done()

    second = where.cold.start("second", is_decided=True)

    assert [first.result(60), second.result(60)] == ["first", "second"]


def raises(error: Exception) -> Callable[..., None]:
    def raise_it(*_: object) -> None:
        raise error

    return raise_it
