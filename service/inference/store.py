"""The store: tested contents by checksum, the decision and the workers' confirmations, in a folder of the service.

    <store>/tested/<sha256>      the files of a version in one, as they were tested; see `Content.pack`
    <store>/decision.json        what is to be served, written by the deciding process; see `journal`
    <store>/workers/<pid>.json   the serial that a worker serves, and its problem if it serves another

Workers read contents here and never in the repository: what is served is exactly what was tested. If the folder is
kept, the next process starts from it (last known good).
"""

import json
import logging
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from artifact.repository import Content
from service.inference.decision import Decision
from service.inference.journal import Journal, Stamp, replace_file

logger = logging.getLogger("lagcast")


class Confirmation(NamedTuple):
    """Confirmation of a worker: the serial of the decision that it serves, and why it serves no newer one."""

    pid: int
    serial: int
    problem: str | None


class Store:
    """The store in a folder; see the module. Methods raise OSError if the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._tested = folder / "tested"
        self._journal = Journal(folder)
        self._workers = folder / "workers"
        self._next = self._tested / ".next"  # only the process that decides writes contents
        self._saved: Content | None = None  # the last one: it is loaded next
        self._written = 0  # serial
        self._problem: str | None = None  # why the last decision could not be written
        for made in (self._tested, self._workers):
            made.mkdir(parents=True, exist_ok=True)

    def save(self, content: Content) -> Path:
        """Write a content atomically. Returns its file."""
        file = self._tested / content.sha256
        if not self.has(content.sha256):
            self._tested.mkdir(parents=True, exist_ok=True)  # cleaners remove folders too
            self._next.write_bytes(content.pack())
            self._next.rename(file)
        self._saved = content
        return file

    def prepare(self) -> None:
        """Create the file of the next content: it takes longer than to write a small one."""
        with suppress(OSError):  # then `save` creates it
            self._next.touch()

    def has(self, sha256: str) -> bool:
        """Whether a content is there: cleaners of temporary folders remove old files."""
        return (self._tested / sha256).is_file()

    def load(self, sha256: str) -> Content:
        """Read a content. Raises ValueError if it does not match its checksum."""
        saved = self._saved  # once: another thread may save the next one
        if saved is not None and saved.sha256 == sha256:
            return saved
        try:
            content = Content.unpack((self._tested / sha256).read_bytes())
        except OSError as error:  # clients may see it: without the folder
            raise OSError(f"the stored files {sha256[:12]}: {error.strerror}") from None
        if content.sha256 != sha256:
            raise ValueError(f"the stored files {sha256[:12]} are damaged")
        return content

    def forget_all_but(self, kept: Collection[str]) -> None:
        """Remove all other contents."""
        for name in os.listdir(self._tested):  # noqa: PTH208  # there may be thousands
            if name not in kept:
                with suppress(OSError):
                    (self._tested / name).unlink()

    def write_decision(self, decision: Decision) -> None:
        """Write a new decision, or what has changed in it. A failure is logged, and the next call tries again."""
        if decision.serial == self._written:
            return
        try:
            self._journal.write(decision)
        except OSError as error:
            if error.strerror != self._problem:
                logger.warning("cannot store the decision about versions: %s", error.strerror)
            self._problem = error.strerror
        else:
            self._written, self._problem = decision.serial, None

    def read_decision(self) -> Decision | None:
        """The decision; None if there is none, or none that can be read."""
        return self._journal.read()

    def decision_stamp(self) -> Stamp | None:
        """A value that changes when the decision is replaced; None without a decision."""
        return self._journal.stamp()

    def forget_workers(self) -> None:
        """Remove the confirmations of an earlier process."""
        for file in self._workers.iterdir():
            file.unlink(missing_ok=True)

    def confirm(self, serial: int, problem: str | None) -> None:
        """Confirm which decision this process serves."""
        replace_file(self._workers / f"{os.getpid()}.json", json.dumps([serial, problem]).encode())

    def confirmations(self) -> list[Confirmation]:
        """Confirmations of the running workers; those of ended workers are removed."""
        found = []
        for file in sorted(self._workers.glob("[0-9]*.json")):
            with suppress(OSError, ValueError):
                if _is_alive(int(file.stem)):
                    found.append(Confirmation(int(file.stem), *json.loads(file.read_bytes())))
                else:
                    file.unlink()
        return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
