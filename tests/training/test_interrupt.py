"""Ctrl-C (SIGINT) to a busy process."""

import signal
import subprocess
import sys

import pytest

from tests.repository import CHECKOUT
from tests.waiting import PATIENCE
from training.interrupt import INTERRUPTED

START = """
import hashlib, sys, threading, time
from training.interrupt import end_on_interrupt
end_on_interrupt()
"""
# The other thread runs when the first one releases the GIL, which it does inside the native function.
NATIVE = """
sys.setswitchinterval(1000)
begun = threading.Event()
threading.Thread(target=lambda: (begun.wait(), print("begun", flush=True)), daemon=True).start()
begun.set()
hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
"""
SWALLOWING = """
while True:
    try:
        print("begun", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
ENDING = """
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(7)
"""


def interrupted(work: str) -> tuple[int, str]:
    """Exit code and stderr of a process that gets SIGINT while it runs `work`."""
    command = [sys.executable, "-c", START + work]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        return process.wait(timeout=PATIENCE), process.stderr.read()


@pytest.mark.parametrize("work", [NATIVE, SWALLOWING], ids=["in native code", "in code that swallows the interrupt"])
def test_a_process_that_does_not_end_by_itself_ends_with_130_and_one_line(work: str) -> None:
    assert interrupted(work) == (INTERRUPTED, "training: interrupted\n")


def test_a_process_that_ends_by_itself_keeps_its_own_exit_code() -> None:
    assert interrupted(ENDING) == (7, "")
