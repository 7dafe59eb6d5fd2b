"""Fit a network on rows, by the config's recipe."""

import math
from collections.abc import Callable
from itertools import chain

import keras
import numpy as np
import tensorflow as tf

from training.config import TrainConfig
from training.data.rows import Rows
from training.loop import run_loop, shuffled_batches
from training.networks.network import Network
from training.networks.scaling import standardise, with_rescaling
from training.padding import padded
from training.program import copy, program_of
from training.values import Values

LEAST_PIECE = 256  # steps that the pieces of a short training are filled up to, so that they share one program

OnProgress = Callable[[keras.Sequential, float, float], None]
"""Called with the model as it is by then, the epochs done so far, and the mean loss since the last call."""


def fit(network: Network, config: TrainConfig, rows: Rows, on_progress: OnProgress) -> keras.Sequential:
    """Build `network` by the config's recipe and fit it on all of `rows`.

    The model takes and gives values in the series' own units, (rows, n, 1) or (rows, n) → (rows, 1). The same
    config, rows, machine and library versions give the same weights, bit for bit. Raises ArtifactError if the loss
    diverges.
    """
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    scaled = config.resolved_recipe == "scaled"
    inputs = network.inputs(rows.windows)
    core = network.build(inputs.shape[1], inputs if scaled else None)
    model = with_rescaling(core, rows.targets) if scaled else core
    targets = standardise(rows.targets, rows.targets) if scaled else rows.targets
    if callable(network.optimizer):
        network.optimizer(core, inputs, targets)
    else:
        train_loop(network, core, config, inputs, targets, lambda done, loss: on_progress(model, done, loss))
    return model


def train_loop(
    network: Network,
    model: keras.Sequential,
    config: TrainConfig,
    inputs: Values,
    targets: Values,
    on_epochs: Callable[[float, float], None],
) -> None:
    """Fit `model`, which `network` has built, on inputs, (rows, n), and targets, (rows,), over all of the epochs.

    Adam, or what the network names, with a cosine from the config's learning rate down to zero; by the article's
    recipe at Keras' defaults. on_epochs: called with the epochs done so far and the mean loss since the last call.
    """
    rows, size, epochs = len(inputs), config.resolved_batch_size, config.resolved_epochs
    program = program_of(network, inputs.shape[1], rows)
    steps = -(-rows // size)
    if config.resolved_recipe == "article":
        program.schedule.set(float(type(keras.optimizers.get(network.optimizer))().learning_rate), math.inf)
    else:
        program.schedule.set(config.resolved_learning_rate, epochs * steps)
    program.begin(model.trainable_variables, _scaled(model, len(program.core.layers), inputs), targets)

    def on_steps(done: int, loss: float) -> None:
        copy(program.core.trainable_variables, model.trainable_variables)
        on_epochs(done / steps, loss)

    batches = shuffled_batches(rows, size, epochs, config.seed)
    first = next(batches)
    run_loop(program.loop, model.name, chain([first], batches), on_steps, max(LEAST_PIECE, padded(len(first))))


def _scaled(model: keras.Sequential, trained: int, inputs: Values) -> Values:
    """The inputs, (rows, n), as the last `trained` layers of the model get them: after its scaling layers."""
    values = tf.constant(inputs.reshape(-1, *model.input_shape[1:]), tf.float32)
    for layer in model.layers[: len(model.layers) - trained]:
        values = layer(values)
    return np.asarray(values)
