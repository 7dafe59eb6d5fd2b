"""What a process counts: requests, what its limits refused, what became of new versions, and what each model told."""

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Metric, ProcessCollector, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BUCKETS = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which no query asks for
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REFUSED = Counter("lagcast_refused_requests", "Requests that a limit has refused", ["limit"], registry=REGISTRY)
RELOADS = Counter("lagcast_reloads", "Swaps to another live version", ["model"], registry=REGISTRY)
FAILED_LOADS = Counter(
    "lagcast_failed_loads",
    "Versions that were refused, by what refused them: verification or self-test",
    ["model", "reason"],
    registry=REGISTRY,
)

LIMITS = {
    401: "api_key",
    408: "body_seconds",
    413: "max_body_bytes",
    429: "max_concurrency",
    431: "head_bytes",
    504: "deadline_seconds",
}


def count_refusal(status: int) -> None:
    """Count an answer of this status, if it is the word of a limit."""
    if status in LIMITS:
        REFUSED.labels(LIMITS[status]).inc()


class RequestSeconds(Collector):
    """A histogram by route and status; prometheus-client's own costs a request four times as much."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._sums: defaultdict[tuple[str, int], float] = defaultdict(float)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count a request; from one thread only."""
        key = route, status
        self._counts[key][bisect_left(BUCKETS, seconds)] += 1
        self._sums[key] += seconds

    def collect(self) -> Iterable[Metric]:
        """The one histogram."""
        metric = HistogramMetricFamily(
            "lagcast_request_seconds",
            "Time from a request's head to the end of its answer; its count is that of the requests",
            labels=["route", "status"],
        )
        bounds = [*map(floatToGoString, BUCKETS), "+Inf"]
        for (route, status), counts in list(self._counts.items()):
            buckets = list(zip(bounds, itertools.accumulate(counts), strict=True))
            metric.add_metric([route, str(status)], buckets, self._sums[route, status])
        return [metric]


REQUEST_SECONDS = RequestSeconds()
REGISTRY.register(REQUEST_SECONDS)


@dataclass
class Tally:
    """What one version of a model has told since it was loaded; from any thread."""

    predictions: int = 0
    rows: int = 0
    extrapolated: int = 0
    sum: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, rows: int, extrapolated: int, total: float) -> None:
        """Count one answer: its rows, how many of them were extrapolated, and the sum of the predictions."""
        with self._lock:
            self.predictions += 1
            self.rows += rows
            self.extrapolated += extrapolated
            self.sum += total
