"""Waiting for a condition without depending on the speed of the machine."""

import time
from collections.abc import Callable

PATIENCE = 240.0  # seconds; many times what anything here takes on a busy machine


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
