"""Cache of results: one file for each run, named by its digest, so that an interrupted report can be resumed."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Protocol

from training.console import show_count
from training.processes import run_in_processes

CODE = 4  # increase it when a change of the code changes the result of a run
LIBRARIES = ("tensorflow", "keras", "numpy")
Result = dict[str, Any]


class Run(Protocol):
    """A frozen dataclass of plain values; its result depends on nothing else."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def run(self) -> Result:
        """Compute the result, of JSON types; called in a process of its own."""
        ...


def digest(run: Run) -> str:
    """SHA-256 of the run's config, its kind, CODE and the versions of the libraries."""
    content = {"kind": type(run).__name__, "run": asdict(run), "code": CODE}
    content["libraries"] = {library: version(library) for library in LIBRARIES}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def run_all(runs: Sequence[Run], folder: Path) -> list[Result]:
    """The results of `runs`, in their order: read from `folder`, or else computed and written there.

    Raises what a run raises, and OSError if its process dies; finished results stay in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{digest(run)}.json" for run in runs]
    kept = [_read(file) for file in files]
    missing = [k for k, result in enumerate(kept) if result is None]
    if missing:
        with show_count("run", len(missing)) as on_count:
            for done, (index, result) in enumerate(run_in_processes(_run, [runs[k] for k in missing]), 1):
                kept[missing[index]] = result
                _write(files[missing[index]], {"run": asdict(runs[missing[index]]), "result": result})
                on_count(done)
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


def _run(run: Run) -> Result:
    return run.run()
