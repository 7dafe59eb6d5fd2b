"""Runs for the executor's tests, where the processes that it starts can import them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NotedRun:
    """Notes in `folder` that it ran; fails, or takes its process along, as long as the file `trouble` is there."""

    folder: str
    number: int
    trouble: str = ""

    def run(self) -> dict[str, Any]:
        folder = Path(self.folder)
        with (folder / f"ran-{self.number}").open("a") as note:
            note.write("x")
        if self.trouble and (folder / self.trouble).exists():
            if self.trouble == "death":
                os._exit(9)
            raise ValueError(f"run {self.number} is not to be")
        return {"number": self.number, "process": os.getpid()}
