"""Training of the cores of a combination network: gradient descent with a budget of steps and early stopping."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.combination.core import build_core, solve_linear
from training.combination.samples import Samples
from training.combination.sizes import Budget
from training.loop import Batches, compile_steps, run_loop
from training.networks.network import Hidden

PIECES = 20  # of the budget, after each of which the validation loss is looked at
VALIDATION_ROWS = 4096
PATIENCE = 6  # pieces without a lower validation loss, after which the fit ends

OnSteps = Callable[[int, float], None]
Known = NDArray[np.bool_]


class Trainer:
    """A core with its compiled training loop, to be fitted several times: on parts of the samples, by several seeds.

    It is compiled once, which takes longer than to train it.
    """

    def __init__(
        self, front: keras.Model, samples: Samples, hidden: Hidden, season: int, units: int, budget: Budget
    ) -> None:
        self.samples, self.budget = samples, budget
        self._build = partial(build_core, front, season, hidden, units)
        self.core = self._build("core")
        schedule = keras.optimizers.schedules.CosineDecay(budget.learning_rate, budget.steps)
        self._optimizer = keras.optimizers.Adam(schedule)
        names = [one.name for one in self.core.inputs]
        self._inputs = {name: tf.constant(samples.inputs[name]) for name in names}
        self._targets = tf.Variable(np.zeros_like(samples.targets, np.float32))
        self._loop = compile_steps(self.core, self._optimizer, self._loss)
        self._first = [np.asarray(variable) for variable in self._optimizer.variables]

    def fit(self, known: Known, seed: int, on_steps: OnSteps, *, most: int, validation: Known | None = None) -> int:
        """Fit the core from the start, for `most` steps or as long as the validation loss falls; give the steps.

        known, validation: (rows, steps), the targets to fit on and to stop by. With validation, the core gets the
        weights of its lowest loss.
        """
        self._reset(seed)
        targets = np.where(known, self.samples.targets, np.nan)
        self._targets.assign(targets)
        solve_linear(self.core, self.samples.inputs["scaled"].astype(np.float64), targets, self.samples.weights)
        if not self.core.trainable_variables:
            return 0
        best = _Best(self, validation)

        def look(steps: int, loss: float) -> None:
            on_steps(steps, loss)
            best.look(steps)

        run_loop(self._loop, "the network", self._batches(np.any(known, axis=1), seed, most, best), look)
        return best.restore()

    def fitted(self, name: str) -> keras.Model:
        """A copy of the core as it is now."""
        copy = self._build(name)
        copy.set_weights(self.core.get_weights())
        return copy

    def _reset(self, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self.core.set_weights(self._build("first").get_weights())
        for variable, value in zip(self._optimizer.variables, self._first, strict=True):
            variable.assign(value)

    def _batches(self, rows: NDArray[np.bool_], seed: int, most: int, best: "_Best") -> Iterator[Batches]:
        """Rows drawn with replacement by their weights."""
        draw = np.random.default_rng(seed)
        piece = math.ceil(self.budget.steps / PIECES)
        weights = np.cumsum(np.where(rows, self.samples.weights, 0))
        for done in range(0, most, piece):
            if best.waited > PATIENCE:
                return
            count = min(piece, most - done)
            places = draw.uniform(0, weights[-1], (count, self.budget.batch_size))
            yield np.searchsorted(weights, places, side="right").astype(np.int32)

    def validation_loss(self, known: Known) -> float:
        """The loss on the targets that are `known`, (rows, steps), as it stands; on at most VALIDATION_ROWS rows."""
        rows = np.flatnonzero(known.any(axis=1))
        rows = rows[:: -(-len(rows) // VALIDATION_ROWS)]
        targets = tf.constant(np.where(known, self.samples.targets, np.nan)[rows], tf.float32)
        forecasts = self.core({name: tf.gather(values, rows) for name, values in self._inputs.items()})
        return float(absolute_error(forecasts, targets))

    def _loss(self, numbers: tf.Tensor) -> tf.Tensor:
        forecasts = self.core({name: tf.gather(values, numbers) for name, values in self._inputs.items()})
        return absolute_error(forecasts, tf.gather(self._targets, numbers))


def absolute_error(forecasts: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """The mean absolute error where the targets are not NaN; both (rows, steps)."""
    known = tf.math.is_finite(targets)
    errors = tf.where(known, tf.abs(forecasts - tf.where(known, targets, 0.0)), 0.0)
    return tf.reduce_sum(errors) / tf.maximum(tf.reduce_sum(tf.cast(known, tf.float32)), 1.0)


class _Best:
    """The core's weights at the lowest validation loss so far, and how many looks ago that was."""

    def __init__(self, trainer: Trainer, validation: Known | None) -> None:
        self._trainer, self._validation = trainer, validation
        self._loss, self._steps, self._weights = math.inf, 0, trainer.core.get_weights()
        self.waited = 0
        self.look(0)

    def look(self, steps: int) -> None:
        """Compare the weights as they are after `steps`; without validation the last ones count as the best."""
        loss = -steps if self._validation is None else self._trainer.validation_loss(self._validation)
        self.waited += 1
        if loss < self._loss or not steps:
            self._loss, self._steps, self._weights = loss, steps, self._trainer.core.get_weights()
            self.waited = 0

    def restore(self) -> int:
        """Give the core the best weights back; returns the steps after which they had them."""
        self._trainer.core.set_weights(self._weights)
        return self._steps
