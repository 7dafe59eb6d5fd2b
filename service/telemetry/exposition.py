"""`GET /metrics`: the metrics of all workers in Prometheus' text format."""

import asyncio
import logging
import os
import platform
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import orjson
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from service.inference.lifecycle import Lifecycle
from service.inference.tally import Scores, VersionCounts
from service.telemetry.loads import load_metrics
from service.telemetry.metrics import REGISTRY
from service.telemetry.models import event_counts, model_metrics
from service.telemetry.scores import add_shared, score_metrics, scores_by_version, share_scores

logger = logging.getLogger("lagcast")

SHARE_SECONDS: float = 1
# Gauges that are summed over the workers; all others are the same in every worker.
SUMMED = {
    "lagcast_loaded_bytes",
    "lagcast_loaded_models",
    "lagcast_requests_in_flight",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
}
# Counters of events that every worker sees: the maximum over the workers counts each event once.
SEEN_BY_ALL = {"lagcast_reloads", "lagcast_failed_loads"}


class Exposition(Collector):
    """The metrics of this worker and, through a shared folder, of the others, at most one second old.

    Files of ended workers stay in the folder, so that counters never decrease.
    """

    def __init__(self, lifecycle: Lifecycle, build: dict[str, str], folder: Path | None) -> None:
        self._lifecycle = lifecycle
        self._build = build
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """All metrics, including those of the other workers."""
        merged: dict[str, Metric] = {}
        for metric in self._own() if self._folder is None else _read(self._folder):
            _merge(merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type)), metric)
        return merged.values()

    async def scores(self, name: str) -> Mapping[int, Scores]:
        """Sums of the errors of a model on actual values, by version, over all workers."""
        own = scores_by_version(self._lifecycle, name)
        return own if self._folder is None else await run_in_threadpool(add_shared, own, self._folder, name)

    @asynccontextmanager
    async def sharing(self) -> AsyncIterator[None]:
        """Write this worker's metrics for the others every second while the context is open, and once at its end."""
        if self._folder is None:
            yield
            return
        task = asyncio.create_task(self._share())
        try:
            yield
        finally:
            task.cancel()
            self.write()

    async def _share(self) -> None:
        while True:
            self.write()
            await asyncio.sleep(SHARE_SECONDS)

    def write(self) -> None:
        """Write this worker's metrics for the others, if there are any. Called from the event loop."""
        if self._folder is None:
            return
        _share(self._folder, self._own())
        share_scores(self._folder, self._lifecycle)

    def _own(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        build = GaugeMetricFamily(
            "lagcast_build_info", "Versions of the service, its engine and Python; always 1", labels=list(self._build)
        )
        build.add_metric(list(self._build.values()), 1)
        yield build
        yield from model_metrics(self._lifecycle)
        yield from load_metrics(self._lifecycle)
        yield from score_metrics(self._lifecycle)


def share_counts(folder: Path, failed_loads: Mapping[str, Counter[str]]) -> None:
    """Share the parent's counts of refused versions with the workers."""
    counts = {name: VersionCounts(failed_loads=failures) for name, failures in failed_loads.items()}
    _share(folder, event_counts(counts))


def _share(folder: Path, metrics: Iterable[Metric]) -> None:
    content = [[m.name, m.documentation, m.type, [[s.name, s.labels, s.value] for s in m.samples]] for m in metrics]
    written = folder / f"{os.getpid()}.new"
    try:
        written.write_bytes(orjson.dumps(content))
        written.rename(folder / f"{os.getpid()}.json")
    except OSError as error:
        logger.warning("cannot share the metrics with the other workers: %s", error.strerror)


def build_of(app_version: str, engine: str) -> dict[str, str]:
    """The labels of lagcast_build_info."""
    python, litert = platform.python_version(), version("ai-edge-litert")
    return {"version": app_version, "engine": engine, "python": python, "litert": litert}


def create_metrics_router(exposition: Exposition) -> APIRouter:
    """The route /metrics."""
    registry = CollectorRegistry()
    registry.register(exposition)
    router = APIRouter()

    @router.get("/metrics", tags=["health"], summary="Metrics for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        exposition.write()
        return Response(await run_in_threadpool(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _read(folder: Path) -> Iterator[Metric]:
    for file in folder.glob("*.json"):
        counts_gauges = _is_alive(int(file.stem))
        for name, documentation, kind, samples in orjson.loads(file.read_bytes()):
            metric = Metric(name, documentation, kind)
            for sample in samples if counts_gauges or kind != "gauge" else ():
                metric.add_sample(*sample)
            yield metric


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _merge(into: Metric, metric: Metric) -> None:
    known = {(s.name, *sorted(s.labels.items())): index for index, s in enumerate(into.samples)}
    is_sum = metric.name in SUMMED if metric.type == "gauge" else metric.name not in SEEN_BY_ALL
    combine = sum if is_sum else max
    for sample in metric.samples:
        index = known.get((sample.name, *sorted(sample.labels.items())))
        if index is None:
            into.samples.append(sample)
        else:
            old = into.samples[index]
            into.samples[index] = old._replace(value=combine([old.value, sample.value]))
