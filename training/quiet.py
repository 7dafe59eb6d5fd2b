"""Import TensorFlow without the log lines of its libraries, and with one thread for each operation."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard stderr: TensorFlow's libraries log about the CPU while they load, before any log level applies.

    It is set to one thread: operations of networks this small take microseconds, and handing them to a second thread
    can double the time of a training.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@cache
def load_tensorflow() -> None:
    """Import TensorFlow silently, for a task that fits many different networks; once per process."""
    with silent_stderr():
        import tensorflow as tf  # noqa: F401 - later imports find it loaded
    # TensorFlow warns about repeated compilation of a function, which many different networks cause.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def discard_stdout() -> None:
    """Discard what stdout still has to write, after its reader has ended or its device is full.

    The interpreter would try again at its exit, and print a traceback.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
