"""Metrics of accuracy: sums of errors on actual values by model and version, what the cards say, and their age."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from service.inference.loader import LiveModel, ModelState
from service.inference.score import naive_error, no_scores
from service.inference.tally import Errors, Scores

DAY_SECONDS = 86_400
ACTUALS, ABSOLUTE, SQUARED, COVERED = (
    "lagcast_scored_actuals",
    "lagcast_scored_absolute_error",
    "lagcast_scored_squared_error",
    "lagcast_scored_covered_actuals",
)
VERSION = ["model", "version"]


def score_metrics(states: Iterable[ModelState]) -> Iterator[Metric]:
    """The metrics of the live and the kept versions: a bounded number of series, all there at 0 from the start."""
    states = list(states)
    models = [model for state in states for model in state.kept.values()]
    yield from _sums(models)
    yield from _cards(models)
    yield from _ages([state.live for state in states if state.live is not None])


def _sums(models: Iterable[LiveModel]) -> Iterator[Metric]:
    actuals = CounterMetricFamily(ACTUALS, "Actual values that a version was scored on", labels=VERSION)
    absolute = CounterMetricFamily(
        ABSOLUTE,
        "Sum of absolute errors on actual values, of the model and of its baselines, in the target's unit",
        labels=[*VERSION, "forecast"],
    )
    squared = CounterMetricFamily(
        SQUARED,
        "Sum of squared errors on actual values, of the model and of its baselines",
        labels=[*VERSION, "forecast"],
    )
    covered = CounterMetricFamily(
        COVERED, "Actual values inside of the prediction interval of a level in percent", labels=[*VERSION, "level"]
    )
    for model in models:
        of, scores = [model.card.name, str(model.card.version)], no_scores(model.card) + model.tally.scores
        actuals.add_metric(of, scores.actuals)
        for name, errors in scores.errors.items():
            absolute.add_metric([*of, name], errors.absolute)
            squared.add_metric([*of, name], errors.squared)
        for level, count in scores.covered.items():
            covered.add_metric([*of, str(level)], count)
    yield from (actuals, absolute, squared, covered)


def _cards(models: Iterable[LiveModel]) -> Iterator[Metric]:
    mae = GaugeMetricFamily("lagcast_card_mae", "Mean absolute error on the held-out rows, on the card", labels=VERSION)
    naive = GaugeMetricFamily(
        "lagcast_card_naive_mae",
        "Mean absolute error of the naive forecast on the training data: an MAE divided by it is the MASE",
        labels=VERSION,
    )
    for model in models:
        of, scale = [model.card.name, str(model.card.version)], naive_error(model.card)
        mae.add_metric(of, model.card.evaluation.model.mae)
        if scale is not None:
            naive.add_metric(of, scale)
    yield from (mae, naive)


def _ages(live: Iterable[LiveModel]) -> Iterator[Metric]:
    created = GaugeMetricFamily(
        "lagcast_model_created_timestamp_seconds", "When the live version was published", labels=VERSION
    )
    due = GaugeMetricFamily(
        "lagcast_model_due_timestamp_seconds",
        "When the live version is due to be replaced, where its card has valid_days",
        labels=VERSION,
    )
    for card in (model.card for model in live):
        of, published = [card.name, str(card.version)], card.created.timestamp()
        created.add_metric(of, published)
        if card.valid_days is not None:
            due.add_metric(of, published + card.valid_days * DAY_SECONDS)
    yield from (created, due)


class _Sum(NamedTuple):
    """One sample of the sums: its metric, the baseline or level in its labels, and its value."""

    metric: str
    of: str
    value: float


def scores_of(metrics: Iterable[Metric], name: str) -> Mapping[int, Scores]:
    """The sums of a model by version, read back from the metrics of all workers."""
    found: defaultdict[int, list[_Sum]] = defaultdict(list)
    for metric in metrics:
        for sample in metric.samples if metric.name in {ACTUALS, ABSOLUTE, SQUARED, COVERED} else ():
            labels = sample.labels
            if labels["model"] == name:
                of = labels.get("forecast") or labels.get("level") or ""
                found[int(labels["version"])].append(_Sum(metric.name, of, sample.value))
    return {version: _scores(sums) for version, sums in found.items()}


def _scores(sums: list[_Sum]) -> Scores:
    by_metric = {name: {s.of: s.value for s in sums if s.metric == name} for name in (ABSOLUTE, SQUARED, COVERED)}
    errors = {name: Errors(value, by_metric[SQUARED].get(name, 0.0)) for name, value in by_metric[ABSOLUTE].items()}
    covered = {int(level): int(value) for level, value in by_metric[COVERED].items()}
    return Scores(int(sum(s.value for s in sums if s.metric == ACTUALS)), errors, covered)
