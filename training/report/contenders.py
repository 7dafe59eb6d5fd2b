"""The models that the report compares, each fitted on the same rows; every network with the same budget."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.rows import Rows
from training.evaluate import predict_linear
from training.loop import Batches, Loop, compile_loop, run_loop
from training.networks.registry import NETWORKS
from training.networks.scaling import standard_deviation, standardise
from training.report.config import Budget
from training.values import Values

CHUNK_STEPS = 500  # in one call of the compiled program
CAPACITY = 1200  # rows; arrays are padded to a multiple, so that series of any length up to it share one program
# By the report's names of the contenders, the entries of the registry that they are.
CONTENDER_NETWORKS = {"mlp_last": "mlp", "mlp": "mlp-window", "tanh_mlp": "mlp-tanh", "lstm": "lstm"}


class Split(NamedTuple):
    """The rows before `known` are trained on; those from `cut` to `end` are evaluated."""

    known: int
    cut: int
    end: int


class Outcome(NamedTuple):
    """Predictions of a contender, (rows,), for every row, trained on or not; and its seconds of training."""

    predictions: Values
    seconds: float = 0.0
    compile_seconds: float = 0.0


def fit_contenders(rows: Rows, split: Split, seed: int, budget: Budget) -> dict[str, Outcome]:
    """Fit every contender on the same rows: the networks, each with `budget`, and the baselines.

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
    networks = {name: _fit(name, rows, split.known, seed, budget) for name in CONTENDER_NETWORKS}
    return {name: o._replace(predictions=_float32(o.predictions)) for name, o in (networks | outcomes).items()}


def _float32(values: Values) -> Values:
    return values.astype(np.float32).astype(np.float64)


def build(name: str, window: int) -> keras.Sequential:
    """A contender's untrained network, (rows, n, 1) or (rows, n) → (rows, 1), without scaling inside the graph."""
    network = NETWORKS[CONTENDER_NETWORKS[name]]
    return network.build(1 if network.input == "value" else window, None)


def _rolled_up(layer: keras.layers.Layer) -> keras.layers.Layer:
    """With the same weights; XLA compiles a loop over a window of 50 in one second, and 50 unrolled steps in 20."""
    config = layer.get_config()
    return type(layer).from_config(config | {"unroll": False} if "unroll" in config else config)


class _Trainer(NamedTuple):
    """Compiled once in a process: a network, the program that fits it on x and y, and the one that predicts for x."""

    model: keras.Sequential
    optimizer: keras.optimizers.Optimizer
    x: tf.Variable
    y: tf.Variable
    loop: Loop
    predict: Callable[[], tf.Tensor]
    compile_seconds: float


@cache
def _compiled_trainer(name: str, window: int, rows: int, budget: Budget) -> _Trainer:
    model = keras.models.clone_model(build(name, window), clone_function=_rolled_up)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(budget.learning_rate, budget.steps))
    x = tf.Variable(tf.zeros((rows, *model.input_shape[1:])))
    y = tf.Variable(tf.zeros((rows, 1)))
    loop = compile_loop(model, optimizer, x, y)
    nothing = np.zeros((min(CHUNK_STEPS, budget.steps), budget.batch_size), np.int32)
    began = time.perf_counter()
    loop(tf.constant(nothing), tf.constant(0))  # compiles; no step is taken
    seconds = time.perf_counter() - began
    predict = tf.function(lambda: model(x), jit_compile=True, autograph=False)
    return _Trainer(model, optimizer, x, y, loop, predict, seconds)


@cache
def _first_weights(name: str, window: int, seed: int) -> list[NDArray[np.float32]]:
    keras.utils.set_random_seed(seed)
    weights: list[NDArray[np.float32]] = build(name, window).get_weights()
    return weights


def _fit(name: str, rows: Rows, known: int, seed: int, budget: Budget) -> Outcome:
    window = rows.windows.shape[1]
    count = len(rows.targets)
    trainer = _compiled_trainer(name, window, -(-count // CAPACITY) * CAPACITY, budget)
    trainer.model.set_weights(_first_weights(name, window, seed))
    for variable in trainer.optimizer.variables:
        variable.assign(tf.zeros_like(variable))
    inputs = NETWORKS[CONTENDER_NETWORKS[name]].inputs(rows.windows)
    trainer.x[:count].assign(standardise(inputs, inputs[:known]).reshape(-1, *trainer.x.shape[1:]))
    trainer.y[:count].assign(standardise(rows.targets, rows.targets[:known]).reshape(-1, 1))
    began = time.perf_counter()
    run_loop(trainer.loop, name, _batches(known, seed, budget), lambda _done, _loss: None)
    seconds = time.perf_counter() - began
    answers = np.asarray(trainer.predict(), np.float64)[:count, 0]
    trained = rows.targets[:known]
    return Outcome(answers * standard_deviation(trained) + trained.mean(), seconds, trainer.compile_seconds)


def _batches(rows: int, seed: int, budget: Budget) -> Iterator[Batches]:
    """All steps of the budget, (steps, batch_size) at a time: the rows in one random order after another."""
    order = np.random.default_rng(seed)
    wanted = budget.steps * budget.batch_size
    passes = [order.permutation(rows) for _ in range(-(-wanted // rows))]
    numbers = np.concatenate(passes)[:wanted].astype(np.int32).reshape(budget.steps, budget.batch_size)
    for first in range(0, budget.steps, CHUNK_STEPS):
        yield numbers[first : first + CHUNK_STEPS]
