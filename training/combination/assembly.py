"""Whole networks of the combination recipe: the graph that is exported, made once per process, and its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import keras
import numpy as np
import tensorflow as tf

from artifact import Batch
from training.combination.core import build_core
from training.combination.graph import assemble
from training.combination.lookback import Lookback
from training.combination.program import KEPT, front_of, name_from_1
from training.combination.trainer import Weights
from training.export import Exported, Exporter
from training.networks.network import Hidden
from training.padding import pad_rows, padded

Cores = tuple[tuple[Hidden, str], ...]
"""The hidden layers and the name of each core of a network."""


class Assembly:
    """A network of the combination recipe as a Keras model, whose cores get the weights of one fit after another."""

    def __init__(self, name: str, lookback: Lookback, cores: Cores, units: int) -> None:
        front = front_of(lookback)
        name_from_1()
        self._cores = [build_core(front, lookback.season, hidden, units, core) for hidden, core in cores]
        self.model = assemble(name, lookback, front, self._cores)
        self._run = tf.function(self.model, autograph=False)

    def fill(self, weights: Sequence[Weights]) -> None:
        """Give each core its weights."""
        for core, values in zip(self._cores, weights, strict=True):
            core.set_weights(values)

    def predict(self, windows: Batch) -> Batch:
        """(rows, window) → (rows, steps)."""
        found: Batch = np.asarray(self._run(tf.constant(pad_rows(windows, padded(len(windows))))))
        return found[: len(windows)]

    @cached_property
    def exporter(self) -> Exporter:
        """What the files of all fits have in common."""
        return Exporter(self.model, [variable for core in self._cores for variable in core.weights])


@lru_cache(KEPT)
def assembly_of(name: str, lookback: Lookback, cores: Cores, units: int) -> Assembly:
    """The assembly of this process for this network."""
    return Assembly(name, lookback, cores, units)


@dataclass(frozen=True)
class Fitted:
    """A network with the weights of one fit: (rows, window) → (rows, steps), in the series' unit."""

    assembly: Assembly
    weights: Sequence[Weights]

    def __call__(self, windows: Batch) -> Batch:
        self.assembly.fill(self.weights)
        return self.assembly.predict(windows)

    @property
    def model(self) -> keras.Model:
        """The Keras model with these weights, until another fit of the same network is run."""
        self.assembly.fill(self.weights)
        return self.assembly.model

    def export(self, windows: Batch) -> Exported:
        """Files of the network (see `training.export.Exporter.export`)."""
        self.assembly.fill(self.weights)
        return self.assembly.exporter.export(windows)
