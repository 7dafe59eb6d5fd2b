"""Fit a network on rows, by the config's recipe."""

from collections.abc import Callable

import keras
import tensorflow as tf

from training.config import TrainConfig
from training.data.rows import Rows
from training.loop import compile_loop, run_loop, shuffled_batches
from training.networks.network import Network
from training.networks.scaling import standardise, with_rescaling
from training.values import Values

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
        optimizer = make_optimizer(network, config, len(inputs))
        train_loop(core, optimizer, config, inputs, targets, lambda done, loss: on_progress(model, done, loss))
    return model


def make_optimizer(network: Network, config: TrainConfig, rows: int) -> keras.optimizers.Optimizer:
    """The network's optimizer: at Keras' defaults by the article's recipe, else with a cosine down to zero."""
    kind = type(keras.optimizers.get(network.optimizer))
    if config.resolved_recipe == "article":
        return kind()
    steps = config.resolved_epochs * -(-rows // config.resolved_batch_size)
    return kind(keras.optimizers.schedules.CosineDecay(config.resolved_learning_rate, steps))


def train_loop(
    model: keras.Sequential,
    optimizer: keras.optimizers.Optimizer,
    config: TrainConfig,
    inputs: Values,
    targets: Values,
    on_epochs: Callable[[float, float], None],
) -> None:
    """Fit `model` on inputs, (rows, n), and targets, (rows,), over all of the config's epochs.

    on_epochs: called with the epochs done so far and the mean loss since the last call.
    """
    x = tf.constant(inputs.reshape(-1, *model.input_shape[1:]), tf.float32)
    y = tf.constant(targets.reshape(-1, 1), tf.float32)
    batches = shuffled_batches(len(inputs), config.resolved_batch_size, config.resolved_epochs, config.seed)
    steps = -(-len(inputs) // config.resolved_batch_size)
    loop = compile_loop(model, optimizer, x, y)
    run_loop(loop, model.name, batches, lambda done, loss: on_epochs(done / steps, loss))
