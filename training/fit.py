"""The training loop, compiled whole: all steps of many epochs in one XLA program."""

import math
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from artifact import ArtifactError
from training.config import TrainConfig
from training.data.series import Rows, Values
from training.networks import build_lstm, build_mlp, inputs_of, spread, with_rescaling

NO_ROW = -1
CHUNK_STEPS = 4000  # some tenths of a second: between chunks progress is shown and Ctrl-C is heard

Batches = NDArray[np.int32]
Report = Callable[[int, float], None]
"""Called with the epochs done so far and the mean loss of the last one."""
Watch = Callable[[keras.Sequential, int, float], None]
"""The same, with the model as it is by then."""
Loop = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Takes (epochs, steps, batch_size) row numbers and how many epochs of them to fit on; gives the last mean loss."""


def fit(name: str, config: TrainConfig, rows: Rows, report: Report) -> keras.Sequential:
    """The network `name`, lstm or mlp, built by the config's recipe and fitted on all of `rows`.

    Takes and gives raw values: (rows, window, 1) or (rows, 1) → (rows, 1). The same config, rows, machine and
    library versions give the same weights, bit for bit.
    """
    return watched_fit(name, config, rows, lambda _, done, loss: report(done, loss))


def watched_fit(name: str, config: TrainConfig, rows: Rows, watch: Watch) -> keras.Sequential:
    """`fit`, for who wants to ask the model itself between the chunks."""
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    scaled = config.recipe == "scaled"
    inputs = inputs_of(name, rows.windows)
    scale_on = inputs if scaled else None
    core = build_lstm(config.window, scale_on) if name == "lstm" else build_mlp(scale_on)
    model = with_rescaling(core, rows.targets) if scaled else core
    epochs = config.resolved_epochs
    batches = shuffled_batches(len(inputs), config.batch_size, epochs, config.seed)
    steps = epochs * -(-len(inputs) // config.batch_size)
    optimizer = make_optimizer(name, config, steps)
    targets = (rows.targets - rows.targets.mean()) / spread(rows.targets) if scaled else rows.targets
    compiled_fit(core, optimizer, inputs, targets, batches, lambda done, loss: watch(model, done, loss))
    return model


def make_optimizer(name: str, config: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """Adam for the LSTM and RMSprop for the MLP, at their defaults or on a cosine down to zero over `steps`."""
    kind = keras.optimizers.Adam if name == "lstm" else keras.optimizers.RMSprop
    if config.recipe == "article":
        return kind()
    return kind(keras.optimizers.schedules.CosineDecay(config.learning_rate, steps))


def shuffled_batches(rows: int, batch_size: int, epochs: int, seed: int) -> Iterator[Batches]:
    """Row numbers for some epochs at a time, (epochs, steps, batch_size), each epoch in an order of its own.

    Where the rows do not fill the last batch of an epoch, NO_ROW does.
    """
    order = np.random.default_rng(seed)
    steps = -(-rows // batch_size)
    chunk = max(1, min(-(-epochs // 100), CHUNK_STEPS // steps))
    for first in range(0, epochs, chunk):
        count = min(chunk, epochs - first)
        numbers = np.full((count, steps * batch_size), NO_ROW, np.int32)
        numbers[:, :rows] = order.permuted(np.tile(np.arange(rows, dtype=np.int32), (count, 1)), axis=1)
        yield numbers.reshape(count, steps, batch_size)


def compiled_fit(
    model: keras.Sequential,
    optimizer: keras.optimizers.Optimizer,
    inputs: Values,
    targets: Values,
    batches: Iterator[Batches],
    report: Report,
) -> None:
    """Fit `model` on mse, a step a batch; takes the steps that Keras' own `fit` takes given the same batches.

    inputs: (rows, …), targets: (rows,). Between the chunks of `batches` it reports and can be interrupted.
    """
    x = tf.constant(inputs.reshape(-1, *model.input_shape[1:]), tf.float32)
    y = tf.constant(targets.reshape(-1, 1), tf.float32)
    drive(compile_loop(model, optimizer, x, y), model.name, batches, report)


def drive(loop: Loop, name: str, batches: Iterator[Batches], report: Report) -> None:
    """Run a compiled loop over all of `batches`. Raises ArtifactError when the loss of the model `name` diverges."""
    done, length = 0, 0
    for chunk in batches:
        count = len(chunk)
        length = length or count
        # One program for every chunk: the last one may be shorter, so it is filled up, and told where it ends.
        filled = np.pad(chunk, ((0, length - count), (0, 0), (0, 0)))
        loss = loop(tf.constant(filled), tf.constant(count))
        done += count
        report(done, float(loss))
        if not math.isfinite(float(loss)):
            raise ArtifactError(f"{name}: the loss is not finite after {done} epochs; try a lower --learning-rate")


def compile_loop(model: keras.Sequential, optimizer: keras.optimizers.Optimizer, x: tf.Tensor, y: tf.Tensor) -> Loop:
    """XLA for the training of `model` on x, (rows, …), and y, (rows, 1).

    Where these are variables, what they hold when the loop is called is what it fits on.
    """
    optimizer.build(model.trainable_variables)

    def step(numbers: tf.Tensor) -> tf.Tensor:
        there = tf.cast(numbers != NO_ROW, tf.float32)[:, None]
        numbers = tf.maximum(numbers, 0)
        with tf.GradientTape() as tape:
            errors = tf.square(model(tf.gather(x, numbers), training=True) - tf.gather(y, numbers))
            loss = tf.reduce_sum(errors * there) / tf.reduce_sum(there)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    def epoch(numbers: tf.Tensor) -> tf.Tensor:
        steps = numbers.shape[0]
        _, total = tf.while_loop(
            lambda k, _: k < steps,
            lambda k, total: (k + 1, total + step(numbers[k])),
            (0, 0.0),
        )
        return total / steps

    def epochs(numbers: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(
            lambda k, _: k < count,
            lambda k, _: (k + 1, epoch(numbers[k])),
            (0, 0.0),
        )[1]

    # AutoGraph would allow plain loops, but does not work on every Python that TensorFlow does.
    compiled: Loop = tf.function(epochs, jit_compile=True, autograph=False)
    return compiled
