"""Metrics of loading: models that are loaded, their size, loads, evictions, and how long a first request waits."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

from service.inference.lifecycle import Lifecycle


def load_metrics(lifecycle: Lifecycle) -> Iterator[Metric]:
    """The metrics of this process."""
    loaded = list(lifecycle.loaded().values())
    versions = [model for state in loaded for model in state.kept.values()]
    size = sum(model.card.files[model.engine.file].size for model in versions)
    cold = lifecycle.cold
    yield GaugeMetricFamily("lagcast_models", "Models by name", value=len(lifecycle.names()))
    yield GaugeMetricFamily("lagcast_loaded_models", "Loaded models by name, over all workers", value=len(loaded))
    yield GaugeMetricFamily("lagcast_loaded_bytes", "Size of the network files of all loaded versions", value=size)
    yield CounterMetricFamily("lagcast_loads", "Versions that were loaded", value=lifecycle.loader.loads)
    yield CounterMetricFamily(
        "lagcast_evictions",
        "Models that were put away because others were used more recently",
        value=lifecycle.evictions,
    )
    yield SummaryMetricFamily(
        "lagcast_load_seconds",
        "Seconds that the first request to a model that is not loaded waits until it is",
        count_value=cold.count,
        sum_value=cold.seconds,
    )
