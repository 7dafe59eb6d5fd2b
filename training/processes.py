"""Process pool with joblib: each process has one thread and has TensorFlow loaded."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import BrokenProcessPool

from training.quiet import silent_stderr

Task = TypeVar("Task")

# There is one process per core, so the libraries in it must not start threads.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
PARENT_SECONDS = 0.5  # interval at which a process checks whether its parent still runs


def run_in_processes(function: Callable[[Task], Any], tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
    """Yield `(k, function(tasks[k]))` for every task as soon as it is done, in no particular order.

    function and tasks must be picklable. The end of the iteration, for any reason, ends the processes, busy or not;
    so does the end of this process. Raises what `function` raises, and ChildProcessError if a process dies.
    """
    if not tasks:
        return
    # At least two: joblib runs a single job in the calling process, whose threads and signals are not set up for it.
    jobs = max(2, min(len(os.sched_getaffinity(0)), len(tasks)))
    parallel = Parallel(jobs, backend="loky", return_as="generator_unordered", batch_size=1, max_nbytes=None)
    try:
        with _environment_of_workers():
            results = parallel(delayed(_run)(function, k, task, os.getpid()) for k, task in enumerate(tasks))
        yield from results
    except BrokenProcessPool:
        raise ChildProcessError(
            "a worker process died, perhaps for lack of memory; what is finished is kept, and the same command goes on"
        ) from None
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


@contextmanager
def _environment_of_workers() -> Iterator[None]:
    """Environment of new processes: one thread, and SIGINT blocked, so that Ctrl-C reaches only the parent."""
    environment = dict(os.environ)
    os.environ.update(ONE_THREAD)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.environ.clear()
        os.environ.update(environment)


def _run(function: Callable[[Task], Any], index: int, task: Task, parent: int) -> tuple[int, Any]:
    _prepare(parent)
    return index, function(task)


@cache
def _prepare(parent: int) -> None:
    """Set up a process, once: load TensorFlow without its log lines, and end when the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # processes that joblib starts later do not have SIGINT blocked
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    with silent_stderr():
        import tensorflow as tf  # noqa: F401 - loaded before the first task, silently
    # TensorFlow warns about repeated compilation of a function, which many different networks cause.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)
