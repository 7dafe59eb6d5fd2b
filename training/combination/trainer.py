"""Training of the cores of a combination network: gradient descent with a budget of steps and early stopping."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.combination.core import solve_linear
from training.combination.program import BATCH_UNIT, Program
from training.combination.samples import Samples
from training.combination.sizes import STEPS, Budget
from training.loop import Batches, run_loop
from training.padding import pad_rows, padded

PIECES = 20  # of the budget, after each of which the validation loss is looked at
LONGEST_PIECE = math.ceil(STEPS / PIECES)
VALIDATION_ROWS = 4096
PATIENCE = 6  # pieces without a lower validation loss, after which the fit ends

OnSteps = Callable[[int, float], None]
Known = NDArray[np.bool_]
Weights = list[NDArray[np.float32]]


class Fit(NamedTuple):
    """The weights of a fitted core, and the steps after which it had them."""

    weights: Weights
    steps: int


class Trainer:
    """Fits of a program's core to the samples of some series: on parts of them, by several seeds."""

    def __init__(self, program: Program, samples: Samples, budget: Budget) -> None:
        self.samples, self.budget, self._program = samples, budget, program
        self._rows = padded(len(samples.targets) + 1)  # at least one is none, to fill batches with
        self._inputs = {name: tf.constant(pad_rows(samples.inputs[name], self._rows)) for name in program.input_names}

    def fit(self, known: Known, seed: int, on_steps: OnSteps, *, most: int, validation: Known | None = None) -> Fit:
        """Fit the core from the start, for `most` steps or as long as the validation loss falls.

        known, validation: (rows, steps), the targets to fit on and to stop by. With validation, the weights are those
        of the lowest loss.
        """
        program = self._program
        program.reset(seed, self.budget.learning_rate, self.budget.steps)
        targets = np.where(known, self.samples.targets, np.nan)
        solve_linear(program.core, self.samples.inputs["scaled"].astype(np.float64), targets, self.samples.weights)
        if not program.core.trainable_variables:
            return Fit(program.core.get_weights(), 0)
        data = self._inputs, tf.constant(pad_rows(targets, self._rows, math.nan))
        best = _Best(self, validation)

        def loop(numbers: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
            return program.loop(numbers, count, *data)

        def look(steps: int, loss: float) -> None:
            on_steps(steps, loss)
            best.look(steps)

        batches = self._batches(np.any(known, axis=1), seed, most, best)
        run_loop(loop, "the network", batches, look, LONGEST_PIECE)
        return best.fit

    def weights(self) -> Weights:
        """The core's weights as they are now."""
        weights: Weights = self._program.core.get_weights()
        return weights

    def _batches(self, rows: NDArray[np.bool_], seed: int, most: int, best: "_Best") -> Iterator[Batches]:
        """Rows drawn with replacement by their weights; filled up with a row that has no targets."""
        draw = np.random.default_rng(seed)
        piece = math.ceil(self.budget.steps / PIECES)
        weights = np.cumsum(np.where(rows, self.samples.weights, 0))
        size = self.budget.batch_size
        filled = ((0, 0), (0, -size % BATCH_UNIT))
        for done in range(0, most, piece):
            if best.waited > PATIENCE:
                return
            places = draw.uniform(0, weights[-1], (min(piece, most - done), size))
            numbers = np.searchsorted(weights, places, side="right").astype(np.int32)
            yield np.pad(numbers, filled, constant_values=self._rows - 1)

    def validation_loss(self, known: Known) -> float:
        """The loss on the targets that are `known`, (rows, steps), as it stands; on at most VALIDATION_ROWS rows."""
        rows = np.flatnonzero(known.any(axis=1))
        rows = rows[:: -(-len(rows) // VALIDATION_ROWS)]
        targets = np.where(known, self.samples.targets, np.nan)[rows]
        numbers = np.pad(rows, (0, padded(len(rows)) - len(rows))).astype(np.int32)
        filled = pad_rows(targets, len(numbers), math.nan)
        return float(self._program.loss(tf.constant(numbers), self._inputs, tf.constant(filled)))


class _Best:
    """The core's weights at the lowest validation loss so far, and how many looks ago that was."""

    def __init__(self, trainer: Trainer, validation: Known | None) -> None:
        self._trainer, self._validation = trainer, validation
        self._loss, self.fit = math.inf, Fit(trainer.weights(), 0)
        self.waited = 0
        self.look(0)

    def look(self, steps: int) -> None:
        """Compare the weights as they are after `steps`; without validation the last ones count as the best."""
        loss = -steps if self._validation is None else self._trainer.validation_loss(self._validation)
        self.waited += 1
        if loss < self._loss or not steps:
            self._loss, self.fit = loss, Fit(self._trainer.weights(), steps)
            self.waited = 0
