"""The training loop as one compiled XLA program: an epoch of a hundred rows takes 0.3 ms instead of 20."""

import math
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from artifact import ArtifactError

NO_ROW = -1
# Progress is shown and Ctrl-C is heard between two calls of the program; this many steps take a few tenths of a second.
CHUNK_STEPS = 4000
# However short a training is, its progress is shown in about this many parts.
PARTS = 100

Batches = NDArray[np.int32]
"""Row numbers, (steps, batch_size), with NO_ROW where a batch is not full."""
Loop = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Takes row numbers, (steps, batch_size), and how many of these steps to take; gives their mean loss."""


def shuffled_batches(rows: int, batch_size: int, epochs: int, seed: int) -> Iterator[Batches]:
    """The row numbers of all epochs, each epoch in a random order of its own, some steps at a time.

    A piece holds whole epochs, or where one has more than CHUNK_STEPS steps, a part of one.
    """
    order = np.random.default_rng(seed)
    steps = -(-rows // batch_size)
    together = max(1, min(-(-epochs // PARTS), CHUNK_STEPS // steps))
    for first in range(0, epochs, together):
        count = min(together, epochs - first)
        numbers = np.full((count, steps * batch_size), NO_ROW, np.int32)
        numbers[:, :rows] = order.permuted(np.tile(np.arange(rows, dtype=np.int32), (count, 1)), axis=1)
        batches = numbers.reshape(count * steps, batch_size)
        for step in range(0, len(batches), CHUNK_STEPS):
            yield batches[step : step + CHUNK_STEPS]


def run_loop(
    loop: Loop, name: str, batches: Iterator[Batches], on_steps: Callable[[int, float], None], length: int = 0
) -> None:
    """Run a compiled loop over all of `batches`.

    on_steps: called after each piece with the steps done so far and the mean loss of the piece's steps.
    name: the model's, for the ArtifactError that is raised when the loss is no longer finite. length: steps that each
    piece is filled up to; 0 for those of the first one.
    """
    done = 0
    for chunk in batches:
        count = len(chunk)
        length = length or count
        # A program is compiled for one shape: a shorter piece is filled up, and `count` says where it ends.
        loss = float(loop(tf.constant(np.pad(chunk, ((0, length - count), (0, 0)))), tf.constant(count)))
        done += count
        on_steps(done, loss)
        if not math.isfinite(loss):
            raise ArtifactError(f"{name}: the loss is not finite after {done} steps; try a lower --learning-rate")


def compile_loop(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, x: tf.Tensor | tf.Variable, y: tf.Tensor
) -> Loop:
    """Compile the training of `model` on x, (rows, …), and y, (rows, steps), with the mean squared error as loss.

    It takes the steps that Keras' own `fit` takes given the same batches. Where x and y are variables, it is their
    content at the time of the call that is trained on.
    """

    def mean_squared_error(numbers: tf.Tensor) -> tf.Tensor:
        there = tf.cast(numbers != NO_ROW, tf.float32)
        numbers = tf.maximum(numbers, 0)
        errors = tf.square(model(tf.gather(x, numbers), training=True) - tf.gather(y, numbers))
        return tf.reduce_sum(tf.reduce_mean(errors, axis=1) * there) / tf.reduce_sum(there)

    return compile_steps(model, optimizer, mean_squared_error)


def compile_steps(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, batch_loss: Callable[..., tf.Tensor]
) -> Callable[..., tf.Tensor]:
    """Compile the training of `model` by `batch_loss`, which takes the row numbers of a batch, (batch_size,).

    What the program is called with behind the row numbers and the number of steps is passed on to `batch_loss`.
    """
    optimizer.build(model.trainable_variables)

    def step(numbers: tf.Tensor, *data: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = batch_loss(numbers, *data)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    def steps(numbers: tf.Tensor, count: tf.Tensor, *data: tf.Tensor) -> tf.Tensor:
        def next_step(k: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return k + 1, total + step(numbers[k], *data)

        _, total = tf.while_loop(lambda k, _: k < count, next_step, (0, 0.0))
        return total / tf.cast(count, tf.float32)

    # AutoGraph would allow plain Python loops, but does not work on every Python that TensorFlow does.
    compiled: Callable[..., tf.Tensor] = tf.function(steps, jit_compile=True, autograph=False)
    return compiled
