"""Ctrl-C, sent to a process that is busy outside of Python."""

import signal
import subprocess
import sys

import pytest

from tests.repository import CHECKOUT
from training.interrupt import INTERRUPTED

BUSY = """
import ctypes, threading, time
from training.interrupt import end_on_interrupt
end_on_interrupt()
print("begun", flush=True)
{work}
"""
WORK = {
    "native code that runs no Python code": "ctypes.PyDLL(None).usleep(ctypes.c_uint(60_000_000))",
    "Python code that swallows the interrupt": """
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
""",
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_sigint_ends_a_process_that_does_not_end_by_itself_with_130_and_one_line(work: str) -> None:
    command = [sys.executable, "-c", BUSY.format(work=work)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=50) == INTERRUPTED
        assert process.stderr.read() == "training: interrupted\n"


def test_a_process_that_ends_by_itself_keeps_its_own_exit_code() -> None:
    work = "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    raise SystemExit(7)"
    command = [sys.executable, "-c", BUSY.format(work=work)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=50) == 7
