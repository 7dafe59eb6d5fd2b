"""Runs for the tests of the process executor, in a module that its processes can import."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NotedRun:
    """A run that records itself in `folder`. While the file `trouble` exists, it fails or kills its process."""

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
