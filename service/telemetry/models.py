"""Metrics by model: versions, swaps, refusals, predictions; of many models those of the busiest, the rest as other."""

import os
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

from service.inference.decision import ModelDecision
from service.inference.lifecycle import Lifecycle
from service.inference.tallies import Tallies
from service.inference.tally import OTHER, Counts, VersionCounts

REFUSED_BY = ("verification", "self-test")


def model_metrics(lifecycle: Lifecycle) -> Iterator[Metric]:
    """The metrics of this process: a bounded number of series, whatever the number of models."""
    tallies = lifecycle.loader.tallies
    tallies.choose()
    decisions = {name: state.decision for name, state in lifecycle.states().items()}
    is_shown = {name: tallies.is_small or name in tallies.own for name in decisions}
    yield from _versions({name: model for name, model in decisions.items() if is_shown[name]})
    yield from _problems(decisions, is_shown)
    yield _decision(lifecycle.serial)
    yield from event_counts(lifecycle.counts())
    yield from _predictions(tallies)


def _versions(shown: Mapping[str, ModelDecision]) -> Iterator[Metric]:
    """Live and refused versions. Reasons only for the highest refused versions, to bound the series."""
    live = GaugeMetricFamily("lagcast_live_version", "The live version", labels=["model"])
    reasons = GaugeMetricFamily(
        "lagcast_refused_version",
        "A refused version in the repository, one of the highest; always 1",
        labels=["model", "version", "reason"],
    )
    for name, model in shown.items():
        if model.live is not None:
            live.add_metric([name], model.live.number)
        for number, reason in model.refused.items():
            reasons.add_metric([name, str(number), reason], 1)
    yield from (live, reasons)


def _problems(decisions: Mapping[str, ModelDecision], is_shown: Mapping[str, bool]) -> Iterator[Metric]:
    """Counts of what is wrong with a model; those of the models without series of their own are added up."""
    refused = GaugeMetricFamily("lagcast_refused_versions", "Refused versions", labels=["model"])
    unknown = GaugeMetricFamily("lagcast_unknown_versions", "Versions that could not be tested yet", labels=["model"])
    memory = GaugeMetricFamily(
        "lagcast_served_from_memory", "1 if the live version is not in the repository", labels=["model"]
    )
    pins = GaugeMetricFamily("lagcast_pin_not_obeyed", "1 if there is a pin that cannot be obeyed", labels=["model"])
    rest = [0, 0, 0, 0]
    for name, model in decisions.items():
        is_away = model.live is not None and not model.in_repository
        values = [model.refused_count, len(model.unknown), is_away, model.pin_problem is not None]
        if not is_shown[name]:
            rest = [a + b for a, b in zip(rest, values, strict=True)] if any(values) else rest
            continue
        for metric, value in zip((refused, unknown, memory, pins), values, strict=True):
            if metric is not memory or model.live is not None:
                metric.add_metric([name], value)
    if not all(is_shown.values()):
        for metric, value in zip((refused, unknown, memory, pins), rest, strict=True):
            metric.add_metric([OTHER], value)
    yield from (refused, unknown, memory, pins)


def _decision(serial: int) -> Metric:
    metric = GaugeMetricFamily(
        "lagcast_served_decision",
        "Serial number of the decision that a worker serves; numbers differ while a worker is behind",
        labels=["worker"],
    )
    metric.add_metric([str(os.getpid())], serial)
    return metric


def event_counts(counts: Mapping[str, VersionCounts]) -> Iterator[Metric]:
    """Swaps and refusals by model."""
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


def _predictions(tallies: Tallies) -> Iterator[Metric]:
    counts = {(name, str(version)): found for (name, version), found in tallies.counts().items()}
    rest = tallies.rest()
    if rest != Counts() or not tallies.is_small:
        counts[OTHER, ""] = rest
    yield from _prediction_metrics(counts.items())


def _prediction_metrics(counts: Iterable[tuple[tuple[str, str], Counts]]) -> Iterator[Metric]:
    labels = ["model", "version"]
    predictions = CounterMetricFamily("lagcast_predictions", "Requests answered with a forecast", labels=labels)
    rows = CounterMetricFamily("lagcast_rows", "Rows predicted", labels=labels)
    extrapolated = CounterMetricFamily(
        "lagcast_extrapolated_rows", "Rows unlike those that the model was trained on", labels=labels
    )
    values = SummaryMetricFamily(
        "lagcast_prediction_value", "Predicted values (first step), in the target's unit", labels=labels
    )
    for of, found in counts:
        predictions.add_metric(of, found.predictions)
        rows.add_metric(of, found.rows)
        extrapolated.add_metric(of, found.extrapolated)
        values.add_metric(of, found.rows, found.sum)
    yield from (predictions, rows, extrapolated, values)
