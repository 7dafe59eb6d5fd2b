"""Memory use and limit of the process's control group: the container or pod."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CGROUP = Path("/sys/fs/cgroup")
# Without a limit, version 1 reports the largest multiple of a page in 63 bits.
NO_LIMIT = 2**62
# Names of the files: limit, use, and the line of memory.stat with the page cache that can be given back at once.
VERSION_2 = ("memory.max", "memory.current", "inactive_file")
VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


class CgroupMemory(Collector):
    """lagcast_memory_used_bytes and lagcast_memory_limit_bytes; no samples where there is no limit.

    Used is the working set as Kubernetes counts it: without the inactive page cache. At the limit the kernel kills
    the process.
    """

    def __init__(self, root: Path = CGROUP, membership: Path = Path("/proc/self/cgroup")) -> None:
        self._root = root
        self._membership = membership

    def collect(self) -> Iterable[Metric]:
        used = GaugeMetricFamily("lagcast_memory_used_bytes", "Memory in use by the control group, page cache aside")
        limit = GaugeMetricFamily("lagcast_memory_limit_bytes", "Memory limit of the control group")
        found = next(self._limited(), None)
        if found is not None:
            used.add_metric([], found[0])
            limit.add_metric([], found[1])
        yield from (used, limit)

    def _limited(self) -> Iterator[tuple[float, float]]:
        """Used and limit in bytes of each group that has a limit, this process's own first, then those around it."""
        for folder, names in self._groups():
            try:
                found = _read(folder, *names)
            except (OSError, ValueError):
                continue  # the group is not visible, or its limit is "max"
            if found[1] < NO_LIMIT:
                yield found

    def _groups(self) -> Iterator[tuple[Path, tuple[str, str, str]]]:
        try:
            lines = self._membership.read_text().splitlines()
        except OSError:
            return
        for line in lines:
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            top = self._root / "memory" if controllers else self._root
            own = top / path.lstrip("/")
            for folder in (own, *own.parents):
                yield folder, VERSION_1 if controllers else VERSION_2
                if folder == top:
                    break


def _read(folder: Path, limit: str, used: str, inactive: str) -> tuple[float, float]:
    """Used and limit in bytes of one group. Raises OSError without its files, ValueError without a limit."""
    bound = int((folder / limit).read_text())
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int((folder / used).read_text()) - int(stat.get(inactive, 0)), bound
