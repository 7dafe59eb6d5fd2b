"""Model repositories for tests: copies of the shipped versions, to damage or to add to."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from artifact import CARD_FILE

CHECKOUT = Path(__file__).parent.parent
# A copy of the shipped versions of models/, so that what a user trains, pins or deletes there changes no test.
SHIPPED = CHECKOUT / "tests" / "data" / "schema_1"
ROWS = (CHECKOUT / "tests" / "data" / "airline.csv").read_text().splitlines()[1:]
AIRLINE = [float(row.partition(",")[2]) for row in ROWS]  # passengers in thousands, January 1949 to December 1960


def copy_of_shipped(folder: Path) -> Path:
    """A new repository with the shipped version 1 of both models."""
    for name in ("lstm", "mlp"):
        shutil.copytree(SHIPPED / name / "1", folder / name / "1")
    return folder


def add_version(models_dir: Path, name: str, version: int, **changes: Any) -> Path:
    """Add a copy of version 1 under another number, with `changes` to its card; returns the folder."""
    folder = models_dir / name / str(version)
    shutil.copytree(models_dir / name / "1", folder)
    change_card(folder, version=version, **changes)
    return folder


def change_card(folder: Path, **changes: Any) -> None:
    path = folder / CARD_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def replace_file(folder: Path, file: str, content: bytes) -> None:
    """Replace the bytes of a file and its checksum on the card."""
    (folder / file).write_bytes(content)
    files = json.loads((folder / CARD_FILE).read_text())["files"]
    files[file] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    change_card(folder, files=files)
