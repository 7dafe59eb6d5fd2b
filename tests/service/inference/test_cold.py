"""Cold loads: what is left of them does not keep a process from ending."""

import subprocess
import sys

import pytest

from service.inference.cold import ColdLoads

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
