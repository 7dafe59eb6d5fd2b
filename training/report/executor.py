"""How runs are spread over processes, and kept: one result a digest, so that an interrupted report goes on."""

import hashlib
import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Protocol

from training.console import show_count
from training.quiet import silent_stderr

CODE = 1  # one more whenever a run of the same config would give another result
LIBRARIES = ("tensorflow", "keras", "numpy")
# Each process has one core to itself, so none of its libraries may start threads for the others.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}

Result = dict[str, Any]


class Run(Protocol):
    """A frozen dataclass of plain values, which say all that its result depends on."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def run(self) -> Result:
        """The result, of what JSON can hold; called in a process that has TensorFlow loaded."""
        ...


def digest(run: Run) -> str:
    """SHA-256 of the run's config, its kind, the code's version and those of the libraries."""
    content = {"kind": type(run).__name__, "run": asdict(run), "code": CODE}
    content["libraries"] = {library: version(library) for library in LIBRARIES}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def run_all(runs: Sequence[Run], folder: Path) -> list[Result]:
    """The result of each of `runs`, in their order: from `folder` where it is kept there, else run and kept.

    Raises what a run raises, and OSError if its process dies; what is finished by then stays finished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{digest(run)}.json" for run in runs]
    kept = [_read(file) for file in files]
    missing = [k for k, result in enumerate(kept) if result is None]
    for k, result in _spread({k: runs[k] for k in missing}):
        kept[k] = result
        _write(files[k], {"run": asdict(runs[k]), "result": result})
    return [result for result in kept if result is not None]


def _read(file: Path) -> Result | None:
    try:
        result: Result = json.loads(file.read_bytes())["result"]
    except (FileNotFoundError, ValueError):
        return None
    return result


def _write(file: Path, content: Result) -> None:
    draft = file.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(json.dumps(content))
    draft.replace(file)


def _spread(runs: dict[int, Run]) -> Iterator[tuple[int, Result]]:
    """Results as they come, by the key of their run."""
    if not runs:
        return
    with show_count("run", len(runs)) as done, _pool(len(runs)) as pool:
        futures = {pool.submit(_run, run): k for k, run in runs.items()}
        for number, future in enumerate(as_completed(futures), 1):
            try:
                result = future.result()
            except BrokenProcessPool:
                raise ChildProcessError(
                    "a process of the report died, of too little memory perhaps; the same command goes on from here"
                ) from None
            yield futures[future], result
            done(number)


@contextmanager
def _pool(most: int) -> Iterator[ProcessPoolExecutor]:
    """As many processes as cores; whatever ends the context ends them, at work or not."""
    environment = dict(os.environ)
    os.environ.update(ONE_THREAD)
    # Spawned, not forked: TensorFlow does not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(len(os.sched_getaffinity(0)), most), context, initializer=_start)
    try:
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        os.environ.clear()
        os.environ.update(environment)


def _start() -> None:
    """Load TensorFlow; leave Ctrl-C to the parent, and follow it when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    with silent_stderr():
        import training.report.contenders  # noqa: F401
    # It warns of functions that are compiled again and again, which is what many different networks come to.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(run: Run) -> Result:
    return run.run()
