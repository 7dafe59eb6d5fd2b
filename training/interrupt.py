"""Ctrl-C: end the process within seconds, even while TensorFlow compiles or computes and no Python code runs."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
GRACE_SECONDS = 1.0  # time for the normal exit by KeyboardInterrupt
SHOW_CURSOR = "\x1b[?25h"  # show the cursor again, which a progress bar hides


def end_on_interrupt() -> None:
    """End the process with exit code 130 if it still runs a second after SIGINT. Call it in the main thread.

    Python's SIGINT handler runs only between two bytecode instructions. `set_wakeup_fd` makes the C handler write a
    byte immediately, for which a thread waits.
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

    A normal interpreter exit takes seconds if TensorFlow has much memory to release.
    """
    cursor = SHOW_CURSOR if sys.stderr.isatty() else ""
    with suppress(OSError):  # stderr is closed
        os.write(2, f"{cursor}training: interrupted\n".encode())
    os._exit(INTERRUPTED)
