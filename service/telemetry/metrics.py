"""Metrics of this process: requests by route and refusals by limit."""

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Metric, ProcessCollector, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from service.telemetry.memory import CgroupMemory

BUCKETS = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)

disable_created_metrics()  # type: ignore[no-untyped-call]  # an extra series for each counter, which no query needs
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REGISTRY.register(CgroupMemory())
REFUSED = Counter("lagcast_refused_requests", "Requests refused by a limit", ["limit"], registry=REGISTRY)
LIMITS = (
    "answer_seconds",
    "api_key",
    "body_seconds",
    "cold_loads",
    "deadline_seconds",
    "head_bytes",
    "max_body_bytes",
    "max_concurrency",
    "max_connections",
    "memory_bytes",
    "trailer_bytes",
)
for _limit in LIMITS:  # from 0 on: rate() and increase() miss the first event of a series that starts at 1
    REFUSED.labels(_limit)


def count_refusal(limit: str) -> None:
    """Count a request refused by a limit, by the limit's name."""
    REFUSED.labels(limit).inc()


class RequestSeconds(Collector):
    """A latency histogram by route and status, at a quarter of the cost of prometheus-client's own."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._sums: defaultdict[tuple[str, int], float] = defaultdict(float)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count a request; from one thread only."""
        key = route, status
        self._counts[key][bisect_left(BUCKETS, seconds)] += 1
        self._sums[key] += seconds

    def collect(self) -> Iterable[Metric]:
        """The histogram."""
        metric = HistogramMetricFamily(
            "lagcast_request_seconds",
            "Seconds from the head of a request to the end of its response; the count is the number of requests",
            labels=["route", "status"],
        )
        bounds = [*map(floatToGoString, BUCKETS), "+Inf"]
        for (route, status), counts in list(self._counts.items()):
            buckets = list(zip(bounds, itertools.accumulate(counts), strict=True))
            metric.add_metric([route, str(status)], buckets, self._sums[route, status])
        return [metric]


REQUEST_SECONDS = RequestSeconds()
REGISTRY.register(REQUEST_SECONDS)
