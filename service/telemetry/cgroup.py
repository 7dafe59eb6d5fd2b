"""Memory limits of the control groups that this process belongs to, and what they use: the container or pod."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
# Without a limit, version 1 reports the largest multiple of a page in 63 bits.
UNLIMITED = 2**62
# Names of the files: limit, use, and the line of memory.stat with the page cache that can be given back at once.
VERSION_2 = ("memory.max", "memory.current", "inactive_file")
VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


class LimitedGroup(NamedTuple):
    """A control group that has a memory limit; both in bytes.

    used is the working set as Kubernetes counts it: without the inactive page cache.
    """

    limit: int
    used: int


def limited_groups(root: Path = ROOT, membership: Path = MEMBERSHIP) -> Iterator[LimitedGroup]:
    """The groups with a memory limit, this process's own first, then those around it."""
    for folder, names in _groups(root, membership):
        with suppress(OSError, ValueError):  # the group is not visible, or its limit is "max"
            group = _read(folder, *names)
            if group.limit < UNLIMITED:
                yield group


def _groups(root: Path, membership: Path) -> Iterator[tuple[Path, tuple[str, str, str]]]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "memory" if controllers else root
        own = top / path.lstrip("/")
        for folder in (own, *own.parents):
            yield folder, VERSION_1 if controllers else VERSION_2
            if folder == top:
                break


def _read(folder: Path, limit: str, used: str, inactive: str) -> LimitedGroup:
    bound = int((folder / limit).read_text())
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return LimitedGroup(bound, int((folder / used).read_text()) - int(stat.get(inactive, 0)))
