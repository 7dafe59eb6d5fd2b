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
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel, ModelState
from service.inference.tally import Scores, VersionCounts
from service.telemetry.metrics import REGISTRY
from service.telemetry.scores import score_metrics, scores_of

logger = logging.getLogger("lagcast")

SHARE_SECONDS: float = 1
# Gauges that are summed over the workers; all others are the same in every worker.
SUMMED = {
    "lagcast_requests_in_flight",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
}
# Counters of events that every worker sees: the maximum over the workers counts each event once.
SEEN_BY_ALL = {"lagcast_reloads", "lagcast_failed_loads"}
REFUSED_BY = ("verification", "self-test")


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
        self.write()
        return await run_in_threadpool(lambda: scores_of(self.collect(), name))

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

    def _own(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        build = GaugeMetricFamily(
            "lagcast_build_info", "Versions of the service, its engine and Python; always 1", labels=list(self._build)
        )
        build.add_metric(list(self._build.values()), 1)
        yield build
        states = self._lifecycle.states()
        yield from _versions(states.items())
        yield _decision(self._lifecycle.serial)
        yield from _counts(self._lifecycle.counts())
        yield from _tallies([model for state in states.values() for model in state.kept.values()])
        yield from score_metrics(states.values())


def share_counts(folder: Path, failed_loads: Mapping[str, Counter[str]]) -> None:
    """Share the parent's counts of refused versions with the workers."""
    counts = {name: VersionCounts(failed_loads=failures) for name, failures in failed_loads.items()}
    _share(folder, _counts(counts))


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


def _versions(states: Iterable[tuple[str, ModelState]]) -> Iterator[Metric]:
    """Live, refused and untested versions. Reasons only for the highest refused versions, to bound the series."""
    live = GaugeMetricFamily("lagcast_live_version", "The live version", labels=["model"])
    reasons = GaugeMetricFamily(
        "lagcast_refused_version",
        "A refused version in the repository, one of the highest; always 1",
        labels=["model", "version", "reason"],
    )
    refused = GaugeMetricFamily("lagcast_refused_versions", "Refused versions", labels=["model"])
    unknown = GaugeMetricFamily("lagcast_unknown_versions", "Versions that could not be tested yet", labels=["model"])
    memory = GaugeMetricFamily(
        "lagcast_served_from_memory", "1 if the live version is not in the repository", labels=["model"]
    )
    pins = GaugeMetricFamily("lagcast_pin_not_obeyed", "1 if there is a pin that cannot be obeyed", labels=["model"])
    for name, state in states:
        if state.live is not None:
            live.add_metric([name], state.live.card.version)
            memory.add_metric([name], not state.in_repository)
        for number, reason in state.refused.items():
            reasons.add_metric([name, str(number), reason], 1)
        refused.add_metric([name], state.decision.refused_count)
        unknown.add_metric([name], len(state.unknown))
        pins.add_metric([name], state.pin_problem is not None)
    yield from (live, reasons, refused, unknown, memory, pins)


def _decision(serial: int) -> Metric:
    metric = GaugeMetricFamily(
        "lagcast_served_decision",
        "Serial number of the decision that a worker serves; numbers differ while a worker is behind",
        labels=["worker"],
    )
    metric.add_metric([str(os.getpid())], serial)
    return metric


def _counts(counts: Mapping[str, VersionCounts]) -> Iterator[Metric]:
    reloads = CounterMetricFamily("lagcast_reloads", "Swaps to another live version", labels=["model"])
    failed = CounterMetricFamily(
        "lagcast_failed_loads",
        "Refused versions, by the check that refused them: verification or self-test",
        labels=["model", "reason"],
    )
    for name, of in counts.items():
        reloads.add_metric([name], of.reloads)
        for reason in REFUSED_BY:  # from 0 on: increase() misses the first event of a new series
            failed.add_metric([name, reason], of.failed_loads[reason])
    yield from (reloads, failed)


def _tallies(models: Iterable[LiveModel]) -> Iterator[Metric]:
    labels = ["model", "version"]
    predictions = CounterMetricFamily("lagcast_predictions", "Requests answered with a forecast", labels=labels)
    rows = CounterMetricFamily("lagcast_rows", "Rows predicted", labels=labels)
    extrapolated = CounterMetricFamily(
        "lagcast_extrapolated_rows", "Rows with a value outside the trained range", labels=labels
    )
    values = SummaryMetricFamily(
        "lagcast_prediction_value", "Predicted values (first step), in the target's unit", labels=labels
    )
    for model in models:
        of, tally = [model.card.name, str(model.card.version)], model.tally
        predictions.add_metric(of, tally.predictions)
        rows.add_metric(of, tally.rows)
        extrapolated.add_metric(of, tally.extrapolated)
        values.add_metric(of, tally.rows, tally.sum)
    yield from (predictions, rows, extrapolated, values)
