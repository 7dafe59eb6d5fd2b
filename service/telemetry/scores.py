"""Metrics of accuracy: sums of errors on actual values by model and version, what the cards say, and their age."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from pydantic import TypeAdapter

from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.inference.score import naive_error, no_scores
from service.inference.tally import Scores

logger = logging.getLogger("lagcast")

SUFFIX = ".scores"  # of the files that workers share
DAY_SECONDS = 86_400
ACTUALS, ABSOLUTE, SQUARED, COVERED = (
    "lagcast_scored_actuals",
    "lagcast_scored_absolute_error",
    "lagcast_scored_squared_error",
    "lagcast_scored_covered_actuals",
)
VERSION = ["model", "version"]

_ADAPTER = TypeAdapter(list[tuple[str, int, Scores]])
_WRITTEN: dict[Path, int] = {}  # number of actual values in the file that was written last


def score_metrics(lifecycle: Lifecycle) -> Iterator[Metric]:
    """The metrics of the live and the kept versions that are loaded, of many models those of the busiest: a bounded
    number of series, all there at 0 from the start.
    """
    own = lifecycle.loader.tallies.own
    states = [state for name, state in lifecycle.loaded().items() if name in own]
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


def scores_by_version(lifecycle: Lifecycle, name: str) -> Mapping[int, Scores]:
    """The sums of a model in this process, by version."""
    return {version: tally.scores for scored, version, tally in lifecycle.loader.tallies.scored() if scored == name}


def share_scores(folder: Path, lifecycle: Lifecycle) -> None:
    """Write the sums of this process for the other workers, if they have changed. Called from the event loop."""
    scored = [(name, version, tally.scores) for name, version, tally in lifecycle.loader.tallies.scored()]
    file, actuals = folder / f"{os.getpid()}{SUFFIX}", sum(scores.actuals for _, _, scores in scored)
    if not actuals or _WRITTEN.get(file) == actuals:
        return
    staging = file.with_suffix(".new")
    try:
        staging.write_bytes(_ADAPTER.dump_json(scored))
        staging.rename(file)
    except OSError as error:
        logger.warning("cannot share the scores with the other workers: %s", error.strerror)
    else:
        _WRITTEN[file] = actuals


def add_shared(own: Mapping[int, Scores], folder: Path, name: str) -> Mapping[int, Scores]:
    """Add the sums of the other workers, also of those that have ended."""
    found = dict(own)
    for file in folder.glob(f"*{SUFFIX}"):
        others = _ADAPTER.validate_json(file.read_bytes()) if file.stem != str(os.getpid()) else []
        for scored, version, scores in others:
            if scored == name:
                found[version] = found.get(version, Scores()) + scores
    return found
