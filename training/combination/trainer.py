"""Training of the cores of a combination network: gradient descent with a budget of steps and early stopping."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.combination.core import start_from
from training.combination.program import BATCH_UNIT, Program
from training.combination.samples import Samples
from training.combination.sizes import STEPS, Budget
from training.combination.start import Start
from training.loop import Batches, run_loop
from training.padding import pad_rows, padded

PIECES = 20  # of the budget, after each of which the validation loss is looked at
LONGEST_PIECE = math.ceil(STEPS / PIECES)
VALIDATION_ROWS = 4096
LEAST_VALIDATION = 10  # windows; on single series of M1 and Tourism, stops by fewer were worse than no training
PATIENCE = 6  # pieces without a lower validation loss, after which the fit ends

OnSteps = Callable[[int, float], None]
Known = NDArray[np.bool_]
Errors = NDArray[np.float64]
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

    def fit(
        self, known: Known, start: Start, seed: int, on_steps: OnSteps, *, most: int, validation: Known | None = None
    ) -> Fit:
        """Fit the core from `start`, for `most` steps or as long as the validation loss falls.

        known, validation: (rows, steps), the targets to fit on and to stop by. With validation, the weights are those
        of the lowest loss; with too few to stop by, those of the start.
        """
        program = self._program
        program.reset(seed, self.budget.learning_rate, self.budget.steps)
        start_from(program.core, start)
        too_few = validation is not None and np.count_nonzero(validation.any(axis=1)) < LEAST_VALIDATION
        if too_few or not program.core.trainable_variables:
            return Fit(program.core.get_weights(), 0)
        targets = pad_rows(np.where(known, self.samples.targets, np.nan), self._rows, math.nan)
        data = self._inputs, tf.constant(targets), tf.constant(pad_rows(start.correction, self._rows))
        best = _Best(self, validation)

        def loop(numbers: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
            return program.loop(numbers, count, *data)

        def look(steps: int, loss: float) -> None:
            on_steps(steps, loss)
            best.look(steps)

        batches = self._batches(np.any(known, axis=1), seed, most, best)
        run_loop(loop, "the network", batches, look, LONGEST_PIECE)
        return best.fit()

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

    def validation_errors(self, known: Known) -> Errors:
        """The errors on the targets that are `known`, (rows, steps), as it stands; (rows,), of at most VALIDATION_ROWS.

        A row's is the sum over its steps, over the mean number of known steps: their mean is the loss.
        """
        rows = np.flatnonzero(known.any(axis=1))
        rows = rows[:: -(-len(rows) // VALIDATION_ROWS)]
        numbers = np.pad(rows, (0, padded(len(rows)) - len(rows))).astype(np.int32)
        forecasts = np.asarray(self._program.forecasts(tf.constant(numbers), self._inputs))[: len(rows)]
        targets = np.where(known, self.samples.targets, np.nan)[rows]
        errors: Errors = np.nansum(np.abs(forecasts - targets), axis=1) * len(rows) / np.count_nonzero(known[rows])
        return errors


class _Best:
    """The fit with the lowest validation loss so far, and how many looks ago that was."""

    def __init__(self, trainer: Trainer, validation: Known | None) -> None:
        self._trainer, self._validation = trainer, validation
        self._first = self._lowest = self._look(0)
        self.waited = 0

    def look(self, steps: int) -> None:
        """Compare the weights as they are after `steps`; without validation the last ones count as the best."""
        now = self._look(steps)
        self.waited += 1
        if self._validation is None or now.errors.mean() < self._lowest.errors.mean():
            self._lowest, self.waited = now, 0

    def fit(self) -> Fit:
        """The fit with the lowest loss, if it is lower than that of the start by more than one standard error.

        The rule of Breiman et al. (1984): a loss that chance can have lowered is no reason to leave the start. Windows
        that follow each other share their targets: n of them count as n / steps.
        """
        gains = self._first.errors - self._lowest.errors
        steps = self._trainer.samples.targets.shape[1]
        better = gains.mean() > gains.std() * math.sqrt(steps / len(gains))
        return self._lowest.fit if better or self._validation is None else self._first.fit

    def _look(self, steps: int) -> "_Look":
        known = self._validation
        errors = np.zeros(1) if known is None else self._trainer.validation_errors(known)
        return _Look(Fit(self._trainer.weights(), steps), errors)


class _Look(NamedTuple):
    """A fit after some steps, and its errors on the validation rows, (rows,)."""

    fit: Fit
    errors: Errors
