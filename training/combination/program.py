"""Compiled programs of the combination recipe, made once per process for each kind of core."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache

import keras
import numpy as np
import tensorflow as tf
from keras.src.random import seed_generator
from numpy.typing import NDArray

from training.combination.core import build_core, with_share
from training.combination.front import build_front
from training.combination.lookback import Lookback
from training.loop import compile_steps
from training.networks.network import Hidden
from training.schedule import Cosine

KEPT = 16  # programs of a process: a table of series of many lengths has windows of several
# Rows: batches are filled up to multiples of it, since a program is compiled for each size.
BATCH_UNIT = 16


@lru_cache(KEPT)
def front_of(lookback: Lookback) -> keras.Model:
    """The fixed part of every network of this lookback."""
    name_from_1()
    return build_front(lookback)


@lru_cache(KEPT)
def program_of(lookback: Lookback, hidden: Hidden, units: int) -> "Program":
    """The program of this process for these cores."""
    return Program(lookback, hidden, units)


def name_from_1() -> None:
    """Number layers from 1 again: their names are in the exported files, which must not depend on what came before."""
    keras.utils.clear_session(free_memory=False)


class Program:
    """A core with its compiled training loop and forecasts, for samples of any series and of any number."""

    def __init__(self, lookback: Lookback, hidden: Hidden, units: int) -> None:
        tf.config.experimental.enable_op_determinism()
        self._of = front_of(lookback), lookback.season, hidden, units
        name_from_1()
        self.core = build_core(*self._of, "core")
        self.input_names = [one.name for one in self.core.inputs]
        self._schedule = Cosine()
        self._optimizer = keras.optimizers.Adam(self._schedule)
        self._with_share = with_share(self.core)
        self.loop = compile_steps(self.core, self._optimizer, self._batch_loss)
        self.forecasts = tf.function(self._forecasts, autograph=False)
        self._first = [np.asarray(variable) for variable in self._optimizer.variables]
        self._first_weights = cache(self._seeded_weights)

    def reset(self, seed: int, learning_rate: float, steps: int) -> None:
        """The state before the first step of a fit."""
        self._schedule.set(learning_rate, steps)
        self.core.set_weights(self._first_weights(seed))
        for variable, value in zip(self._optimizer.variables, self._first, strict=True):
            variable.assign(value)

    def _seeded_weights(self, seed: int) -> list[NDArray[np.float32]]:
        with _random_of_keras(seed):
            weights: list[NDArray[np.float32]] = build_core(*self._of, "first").get_weights()
        return weights

    def _batch_loss(
        self, numbers: tf.Tensor, inputs: dict[str, tf.Tensor], targets: tf.Tensor, corrections: tf.Tensor
    ) -> tf.Tensor:
        """Loss of the rows `numbers`. inputs of the core by name, (rows, …); targets scaled, (rows, steps), NaN where
        a value is not known; corrections, (rows, steps): added to the linear candidate on rows that it was fitted on.
        """
        forecasts, share = self._with_share([tf.gather(inputs[name], numbers) for name in self.input_names])
        return absolute_error(forecasts + share * tf.gather(corrections, numbers), tf.gather(targets, numbers))

    def _forecasts(self, numbers: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """The core's forecasts, (n, steps), for the rows `numbers`, (n,)."""
        return self.core({name: tf.gather(values, numbers) for name, values in inputs.items()})


@contextmanager
def _random_of_keras(seed: int) -> Iterator[None]:
    """Give Keras a generator of its own, with the numbers of `keras.utils.set_random_seed(seed)`.

    It draws the seed of each layer from Python's `random`, which other threads use as well: those of a Dask worker
    would change the weights.
    """
    kept = seed_generator.python_random
    seed_generator.python_random = random.Random(seed)  # noqa: S311 - no secret
    try:
        yield
    finally:
        seed_generator.python_random = kept


def absolute_error(forecasts: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """The mean absolute error where the targets are not NaN; both (rows, steps)."""
    known = tf.math.is_finite(targets)
    errors = tf.where(known, tf.abs(forecasts - tf.where(known, targets, 0.0)), 0.0)
    return tf.reduce_sum(errors) / tf.maximum(tf.reduce_sum(tf.cast(known, tf.float32)), 1.0)
