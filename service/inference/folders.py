"""The folders of the model repository: which of them have changed, at the cost of one stat call each.

It needs no change notification, which network volumes and bind mounts do not have: adding or removing an entry changes
the time stamps of a folder.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from artifact.repository import is_name

# A folder that changed this shortly before is read again: a second change within the resolution of its time stamps,
# which is up to two seconds on some file systems, would go unnoticed.
FRESH_NS = 3_000_000_000

_Stamp = tuple[int, int, int, int]


class Folders:
    """The names of the models' folders, and the time stamps of those that are watched."""

    def __init__(self, models_dir: Path) -> None:
        self._root = str(models_dir)
        self._names: frozenset[str] = frozenset()
        self._root_stamp: _Stamp | None = None
        self._stamps: dict[str, _Stamp | None] = {}

    def names(self) -> frozenset[str]:
        """Names of the folders; they are listed only if the repository's own folder has changed. Raises OSError."""
        stamp = _stamp(self._root, time.time_ns())
        if stamp is None or stamp != self._root_stamp:
            self._root_stamp = None
            with os.scandir(self._root) as entries:
                self._names = frozenset(entry.name for entry in entries if is_name(entry.name) and _is_folder(entry))
            self._root_stamp = stamp
        return self._names

    def changed(self, names: Iterable[str]) -> Iterator[str]:
        """Those whose folder has changed since the last call, or cannot be read."""
        now = time.time_ns()
        for name in names:
            try:
                stamp = _stamp(f"{self._root}/{name}", now)
            except OSError:
                stamp = None
            if stamp is None or stamp != self._stamps.get(name):
                self._stamps[name] = stamp
                yield name

    def forget(self, name: str) -> None:
        """Forget the time stamp of a model that is not watched any more."""
        self._stamps.pop(name, None)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # of a link: its target cannot be read now
        return True


def _stamp(path: str, now_ns: int) -> _Stamp | None:
    """A value that changes with the entries of a folder; None if it changed so shortly ago that it may not."""
    status = os.stat(path)  # noqa: PTH116  # a Path takes three times as long, for each of thousands of folders
    is_fresh = 0 <= now_ns - status.st_mtime_ns < FRESH_NS
    return None if is_fresh else (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
