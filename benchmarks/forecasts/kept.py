"""Scores kept in files, one per group and kind of method, so that an interrupted benchmark can be resumed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.forecasts.scores import Scores

FOLDER = Path("report/forecasts")


def kept(name: str, compute: Callable[[], Mapping[str, Scores]], folder: Path = FOLDER) -> dict[str, Any]:
    """Scores by method from the file of an earlier run; if there is none, they are computed and the file is written."""
    path = folder / f"{name}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({method: scores.as_dict() for method, scores in compute().items()})
        path.with_suffix(".part").write_text(content)
        path.with_suffix(".part").rename(path)
    return if_kept(name, folder)


def if_kept(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Scores by method from the file of an earlier run; none if there is no such file."""
    path = folder / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
