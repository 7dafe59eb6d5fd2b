"""Ctrl-C within seconds, also while TensorFlow compiles or computes and no Python code runs."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
GRACE_SECONDS = 1.0  # for the usual way out, by KeyboardInterrupt
SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it


def end_on_interrupt() -> None:
    """End the process with exit code 130 if it is still there a second after SIGINT. Call it in the main thread.

    Python's own handler for SIGINT runs between two steps of Python code only. The byte that `set_wakeup_fd` asks for
    is written at once, and a thread waits for it.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(reader,), daemon=True).start()


def _wait(reader: int) -> None:
    while os.read(reader, 1) != bytes([signal.SIGINT]):
        pass
    time.sleep(GRACE_SECONDS)
    leave()


def leave() -> NoReturn:
    """End the process with exit code 130 at once.

    The interpreter's own way out takes seconds where TensorFlow has much memory to give back.
    """
    cursor = SHOW_CURSOR if sys.stderr.isatty() else ""
    with suppress(OSError):  # nobody reads stderr any more
        os.write(2, f"{cursor}training: interrupted\n".encode())
    os._exit(INTERRUPTED)
