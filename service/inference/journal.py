"""The decision in files: a snapshot of all models, and a line for each change since, which is cheap to write.

decision.json              the snapshot, renamed into place; it names the file of its changes
changes-<random>.jsonl     lines, appended
"""

import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from service.inference.decision import Decision, ModelDecision, with_changes

logger = logging.getLogger("lagcast")

FEW = 100  # models; a snapshot of so few is written in a millisecond
MOST_LINES = 1000  # after these, or as many as there are models, a new snapshot: it takes 30 ms with 10,000 models

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class _Change:
    """One line: the models that changed, None for removed ones."""

    serial: int
    models: Mapping[str, ModelDecision | None]
    problem: str | None = None


_CHANGE = TypeAdapter(_Change)


class Journal:
    """The files of the decision in a folder. One process writes, others read; both raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._snapshot = folder / "decision.json"
        self._appending: Path | None = None  # None: the next write is a snapshot
        self._lines = 0
        self._read: Decision | None = None
        self._read_stamp: tuple[int, int] | None = None
        self._offset = 0

    def write(self, decision: Decision) -> None:
        """Write a decision: a line if little has changed since the last one, else a snapshot."""
        changed, appending, self._appending = decision.changed, self._appending, None
        is_small = changed is not None and len(changed) <= FEW < len(decision.models)
        if appending is None or changed is None or not is_small or self._lines >= max(MOST_LINES, len(decision.models)):
            self._appending = self._write_snapshot(decision)
            return
        change = _Change(decision.serial, {name: decision.models.get(name) for name in changed}, decision.problem)
        with appending.open("ab") as file:
            file.write(_CHANGE.dump_json(change, exclude_defaults=True) + b"\n")
        self._lines += 1
        self._appending = appending

    def _write_snapshot(self, decision: Decision) -> Path:
        file = f"changes-{secrets.token_hex(8)}.jsonl"
        replace_file(self._snapshot, replace(decision, changes=file).to_json())
        for old in self._folder.glob("changes-*.jsonl"):
            old.unlink(missing_ok=True)
        self._lines = 0
        return self._folder / file

    def stamp(self) -> Stamp | None:
        """A value that changes when the decision changes; None without a decision."""
        try:
            status = self._snapshot.stat()
        except OSError:
            return None
        length = 0
        if self._read is not None and self._read.changes:
            with suppress(OSError):
                length = (self._folder / self._read.changes).stat().st_size
        return status.st_ino, status.st_mtime_ns, length

    def read(self) -> Decision | None:
        """The newest decision, `changed` since the one that was read before; None if none can be read."""
        before = self._read.serial if self._read is not None else -1
        try:
            is_new = self._read_snapshot()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("cannot read the decision about versions: %s", error)
            return None
        changed = self._read_changes()
        if self._read is not None:
            since, known = (-1, None) if is_new else (before, frozenset(changed))
            self._read = replace(self._read, since=since, changed=known)
        return self._read

    def _read_snapshot(self) -> bool:
        status = self._snapshot.stat()
        stamp = status.st_ino, status.st_mtime_ns
        if stamp == self._read_stamp:
            return False
        self._read = Decision.from_json(self._snapshot.read_bytes())
        self._read_stamp, self._offset = stamp, 0
        return True

    def _read_changes(self) -> set[str]:
        """Apply the lines that were appended; returns the names in them. A line that is not whole yet is left."""
        if self._read is None or not self._read.changes:
            return set()
        try:
            with (self._folder / self._read.changes).open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:  # nothing has changed yet, or there is a new snapshot by now
            return set()
        lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
        if not lines:
            return set()
        changed: set[str] = set()
        for line in lines:
            try:
                change = _CHANGE.validate_json(line)
            except ValueError:
                break
            self._offset += len(line)
            changed |= change.models.keys()
            models = with_changes(self._read.models, change.models)
            self._read = replace(self._read, serial=change.serial, problem=change.problem, models=models)
        return changed


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file whole."""
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    staging.write_bytes(content)
    staging.rename(path)
