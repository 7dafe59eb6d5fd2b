"""The models that the report compares, fitted on the same rows, the networks with the same training budget."""

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
from training.schedule import Cosine
from training.values import Values

CHUNK_STEPS = 500  # in one call of the compiled program
CAPACITY = 1200  # rows; arrays are padded to a multiple, so that series of any length up to it share one program
# Names in the report, and the entries of the network registry.
CONTENDER_NETWORKS = {"mlp_last": "mlp", "mlp": "mlp-window", "tanh_mlp": "mlp-tanh", "lstm": "lstm"}


class Split(NamedTuple):
    """Row numbers: training rows are those before `known`, evaluated rows those from `cut` to `end`."""

    known: int
    cut: int
    end: int


class Outcome(NamedTuple):
    """Predictions of a model for all rows, (rows,), and the seconds of training and compiling."""

    predictions: Values
    seconds: float = 0.0
    compile_seconds: float = 0.0


def fit_contenders(rows: Rows, split: Split, seed: int, budget: Budget) -> dict[str, Outcome]:
    """Fit every model on the same rows: the networks, each with `budget`, and the baselines.

    All predictions are rounded to float32, the precision of the networks.
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
    """Build an untrained network, (rows, n, 1) or (rows, n) → (rows, 1), without the scaling layers."""
    network = NETWORKS[CONTENDER_NETWORKS[name]]
    return network.build(1 if network.input == "value" else window, None)


def _rolled_up(layer: keras.layers.Layer) -> keras.layers.Layer:
    """The layer without unrolling; XLA compiles a loop over a window of 50 in one second, 50 unrolled steps in 20."""
    config = layer.get_config()
    return type(layer).from_config(config | {"unroll": False} if "unroll" in config else config)


class _Trainer(NamedTuple):
    """Compiled once in a process: a network, the program that fits it on x and y, and the one that predicts on x."""

    model: keras.Sequential
    optimizer: keras.optimizers.Optimizer
    schedule: Cosine
    x: tf.Variable
    y: tf.Variable
    loop: Loop
    predict: Callable[[], tf.Tensor]
    compile_seconds: float


@cache
def _compiled_trainer(name: str, window: int, rows: int, batch_size: int) -> _Trainer:
    model = keras.models.clone_model(build(name, window), clone_function=_rolled_up)
    schedule = Cosine()
    optimizer = keras.optimizers.Adam(schedule)
    x = tf.Variable(tf.zeros((rows, *model.input_shape[1:])))
    y = tf.Variable(tf.zeros((rows, 1)))
    loop = compile_loop(model, optimizer, x, y)
    nothing = np.zeros((CHUNK_STEPS, batch_size), np.int32)
    began = time.perf_counter()
    loop(tf.constant(nothing), tf.constant(0))  # compiles; no step is taken
    seconds = time.perf_counter() - began
    predict = tf.function(lambda: model(x), jit_compile=True, autograph=False)
    return _Trainer(model, optimizer, schedule, x, y, loop, predict, seconds)


@cache
def _first_weights(name: str, window: int, seed: int) -> list[NDArray[np.float32]]:
    keras.utils.set_random_seed(seed)
    weights: list[NDArray[np.float32]] = build(name, window).get_weights()
    return weights


def _fit(name: str, rows: Rows, known: int, seed: int, budget: Budget) -> Outcome:
    window = rows.windows.shape[1]
    count = len(rows.targets)
    trainer = _compiled_trainer(name, window, -(-count // CAPACITY) * CAPACITY, budget.batch_size)
    trainer.schedule.set(budget.learning_rate, budget.steps)
    trainer.model.set_weights(_first_weights(name, window, seed))
    for variable in trainer.optimizer.variables:
        variable.assign(tf.zeros_like(variable))
    inputs = NETWORKS[CONTENDER_NETWORKS[name]].inputs(rows.windows)
    trainer.x[:count].assign(standardise(inputs, inputs[:known]).reshape(-1, *trainer.x.shape[1:]))
    trainer.y[:count].assign(standardise(rows.targets, rows.targets[:known]).reshape(-1, 1))
    began = time.perf_counter()
    run_loop(trainer.loop, name, _batches(known, seed, budget), lambda _done, _loss: None, CHUNK_STEPS)
    seconds = time.perf_counter() - began
    answers = np.asarray(trainer.predict(), np.float64)[:count, 0]
    trained = rows.targets[:known]
    return Outcome(answers * standard_deviation(trained) + trained.mean(), seconds, trainer.compile_seconds)


def _batches(rows: int, seed: int, budget: Budget) -> Iterator[Batches]:
    """Row numbers for all steps, in chunks of (steps, batch_size): random permutations of the rows, concatenated."""
    order = np.random.default_rng(seed)
    wanted = budget.steps * budget.batch_size
    passes = [order.permutation(rows) for _ in range(-(-wanted // rows))]
    numbers = np.concatenate(passes)[:wanted].astype(np.int32).reshape(budget.steps, budget.batch_size)
    for first in range(0, budget.steps, CHUNK_STEPS):
        yield numbers[first : first + CHUNK_STEPS]
