"""Process pool with joblib, on this machine or on a cluster: the libraries in each process use one thread."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import joblib
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import BrokenProcessPool

from training.cluster import Backend, connected

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
CHUNK = 8  # tasks for each process of a Ray cluster whose results come together
DIED = "a worker process died, perhaps for lack of memory; what is finished is kept, and the same command goes on"
# A worker of Dask may have several threads, but Keras keeps its state by process.
_alone = threading.Lock()


class Where(NamedTuple):
    """Where tasks run. jobs: number of processes on this machine; None for one per core.

    address: of the cluster's scheduler, for dask and ray.
    """

    backend: Backend = "loky"
    address: str | None = None
    jobs: int | None = None


HERE = Where()


def run_in_processes(
    function: Callable[[Task], Any], tasks: Sequence[Task], where: Where = HERE
) -> Iterator[tuple[int, Any]]:
    """Yield `(k, function(tasks[k]))` for every task as soon as it is done, in no particular order.

    function and tasks must be picklable. The end of the iteration, for any reason, ends the tasks, running or not, and
    on this machine the processes; so does the end of this process. Raises what `function` raises, ChildProcessError if
    a process of this machine dies, and ClusterError if there is no cluster or it loses a process.
    """
    if not tasks:
        return
    if where.backend != "loky":
        yield from _on_cluster(function, tasks, where)
    elif where.jobs == 1:
        yield from (_run(function, k, task, None) for k, task in enumerate(tasks))
    else:
        yield from _here(function, tasks, where.jobs)


def _here(function: Callable[[Task], Any], tasks: Sequence[Task], jobs: int | None) -> Iterator[tuple[int, Any]]:
    # A process whose memory has grown by 300 MB ends between two tasks, and another takes its place: nothing is lost.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
    # At least two: joblib runs a single job in the calling process, whose threads and signals are not set up for it.
    processes = max(2, min(jobs or joblib.cpu_count(), len(tasks)))
    parallel = Parallel(processes, backend="loky", return_as="generator_unordered", batch_size=1, max_nbytes=None)
    try:
        with _environment_of_workers():
            results = parallel(delayed(_run)(function, k, task, os.getpid()) for k, task in enumerate(tasks))
        yield from results
    except BrokenProcessPool:
        raise ChildProcessError(DIED) from None
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _on_cluster(function: Callable[[Task], Any], tasks: Sequence[Task], where: Where) -> Iterator[tuple[int, Any]]:
    calls = (delayed(_run)(function, k, task, None) for k, task in enumerate(tasks))
    with connected(where.backend, where.address) as jobs, parallel_config(where.backend, n_jobs=jobs):
        if where.backend == "dask":
            yield from Parallel(return_as="generator_unordered", batch_size=1)(calls)
            return
        with Parallel(batch_size=1) as parallel:  # joblib's backend for Ray gives lists alone: so many tasks at a time
            while chunk := list(islice(calls, CHUNK * jobs)):
                yield from parallel(chunk)


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


def _run(function: Callable[[Task], Any], index: int, task: Task, parent: int | None) -> tuple[int, Any]:
    with _alone:
        if parent is not None:
            _follow_parent(parent)
        os.environ.update(ONE_THREAD)  # a process of a cluster was started without it
        return index, function(task)


@cache
def _follow_parent(parent: int) -> None:
    """End this process when the parent has ended; once per process. A cluster ends the tasks of its clients itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # processes that joblib starts later do not have SIGINT blocked
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)
