"""The contenders, each trained on the same rows with the same budget, in the process that calls."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.series import Rows, Values
from training.evaluate import predict_linear
from training.fit import Batches, Loop, compile_loop, drive
from training.networks import build_lstm, build_mlp, spread
from training.report.config import Budget

CHUNK_STEPS = 500
CAPACITY = 1200  # rows, and multiples of it: series of all lengths up to there share what is compiled
NETWORKS = ("mlp_last", "mlp", "tanh_mlp", "lstm")


class Split(NamedTuple):
    """Trained on: the rows before `known`. Asked for: those from `cut` to `end`."""

    known: int
    cut: int
    end: int


class Outcome(NamedTuple):
    """What a contender says, and what it took. predictions: (rows,), for every row, trained on or not."""

    predictions: Values
    seconds: float = 0.0
    compile_seconds: float = 0.0


def contend(rows: Rows, split: Split, seed: int, budget: Budget) -> dict[str, Outcome]:
    """Every contender on the same rows: the four networks of one budget, and what needs none.

    Predictions are float32 numbers, the precision that a model answers in, so that none wins by digits alone.
    """
    trained = rows.take(slice(split.known))
    began = time.perf_counter()
    linear = predict_linear(trained, rows.windows)
    outcomes = {
        "linear": Outcome(linear, time.perf_counter() - began),
        "persistence": Outcome(rows.persistence),
        "mean": Outcome(np.full(len(rows.targets), trained.targets.mean())),
    }
    networks = {name: _fit(name, rows, split.known, seed, budget) for name in NETWORKS}
    return {name: o._replace(predictions=_float32(o.predictions)) for name, o in (networks | outcomes).items()}


def _float32(values: Values) -> Values:
    return values.astype(np.float32).astype(np.float64)


def build(name: str, window: int, *, unroll: bool = False) -> keras.Sequential:
    """A contender's untrained network on (rows, window, 1) for the LSTM, (rows, window) or (rows, 1) for the MLPs."""
    if name == "lstm":
        return build_lstm(window, unroll=unroll)
    activation = "tanh" if name == "tanh_mlp" else "linear"
    return build_mlp(window=1 if name == "mlp_last" else window, activation=activation)


class _Workshop(NamedTuple):
    """What is compiled once a process: a network, and the programs that fit it on x and y and ask it all of x."""

    model: keras.Sequential
    optimizer: keras.optimizers.Optimizer
    x: tf.Variable
    y: tf.Variable
    loop: Loop
    ask: Callable[[], tf.Tensor]
    compile_seconds: float


@cache
def _workshop(name: str, window: int, rows: int, budget: Budget) -> _Workshop:
    model = build(name, window)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(budget.learning_rate, budget.steps))
    x = tf.Variable(tf.zeros((rows, *model.input_shape[1:])))
    y = tf.Variable(tf.zeros((rows, 1)))
    loop = compile_loop(model, optimizer, x, y)
    nothing = np.zeros((min(CHUNK_STEPS, budget.steps), 1, budget.batch_size), np.int32)
    began = time.perf_counter()
    loop(tf.constant(nothing), tf.constant(0))
    seconds = time.perf_counter() - began
    ask = tf.function(lambda: model(x), jit_compile=True, autograph=False)
    return _Workshop(model, optimizer, x, y, loop, ask, seconds)


@cache
def _first_weights(name: str, window: int, seed: int) -> list[NDArray[np.float32]]:
    keras.utils.set_random_seed(seed)
    weights: list[NDArray[np.float32]] = build(name, window).get_weights()
    return weights


def _fit(name: str, rows: Rows, known: int, seed: int, budget: Budget) -> Outcome:
    window = rows.windows.shape[1]
    count = len(rows.targets)
    shop = _workshop(name, window, -(-count // CAPACITY) * CAPACITY, budget)
    shop.model.set_weights(_first_weights(name, window, seed))
    for variable in shop.optimizer.variables:
        variable.assign(tf.zeros_like(variable))
    inputs = rows.windows[:, -1:] if name == "mlp_last" else rows.windows
    shop.x[:count].assign(_standardised(inputs, inputs[:known]).reshape(-1, *shop.x.shape[1:]))
    shop.y[:count].assign(_standardised(rows.targets, rows.targets[:known]).reshape(-1, 1))
    began = time.perf_counter()
    drive(shop.loop, name, _batches(known, seed, budget), lambda _done, _loss: None)
    seconds = time.perf_counter() - began
    answers = np.asarray(shop.ask(), np.float64)[:count, 0]
    trained = rows.targets[:known]
    return Outcome(answers * spread(trained) + trained.mean(), seconds, shop.compile_seconds)


def _standardised(values: Values, trained: Values) -> Values:
    standardised: Values = (values - trained.mean()) / spread(trained)
    return standardised


def _batches(rows: int, seed: int, budget: Budget) -> Iterator[Batches]:
    """All steps of the budget, (steps, 1, batch_size) at a time: the rows in one random order after another."""
    order = np.random.default_rng(seed)
    wanted = budget.steps * budget.batch_size
    passes = [order.permutation(rows) for _ in range(-(-wanted // rows))]
    numbers = np.concatenate(passes)[:wanted].astype(np.int32).reshape(budget.steps, 1, budget.batch_size)
    for first in range(0, budget.steps, CHUNK_STEPS):
        yield numbers[first : first + CHUNK_STEPS]
