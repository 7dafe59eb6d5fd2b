"""Memory use and limit of the process's control group: the container or pod."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.telemetry.cgroup import limited_groups


class CgroupMemory(Collector):
    """lagcast_memory_used_bytes and lagcast_memory_limit_bytes of the nearest group with a limit; else no samples.

    At the limit the kernel kills the process.
    """

    def collect(self) -> Iterable[Metric]:
        used = GaugeMetricFamily("lagcast_memory_used_bytes", "Memory in use by the control group, page cache aside")
        limit = GaugeMetricFamily("lagcast_memory_limit_bytes", "Memory limit of the control group")
        group = next(limited_groups(), None)
        if group is not None:
            used.add_metric([], group.used)
            limit.add_metric([], group.limit)
        yield from (used, limit)
