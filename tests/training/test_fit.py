from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.config import TrainConfig
from training.data.rows import Rows
from training.data.series import load_rows
from training.fit import fit, train_loop
from training.loop import NO_ROW, Batches, shuffled_batches
from training.networks.network import Network
from training.networks.registry import NETWORKS

EPOCHS = 12


def silent(model: keras.Sequential, done: float, loss: float) -> None:
    """Show no progress."""


@pytest.mark.parametrize("name", ["lstm", "mlp", "gru"])
@pytest.mark.parametrize(
    ("recipe", "count"), [("article", 100), ("scaled", 98)], ids=["full batches", "a short last batch and a schedule"]
)
def test_the_compiled_loop_takes_the_steps_of_keras_fit(name: str, recipe: str, count: int) -> None:
    config = TrainConfig(recipe=recipe, epochs=EPOCHS)
    rows = load_rows(config).take(slice(count))
    network = NETWORKS[name]
    inputs = network.inputs(rows.windows) / 100
    targets = rows.targets / 100

    def untrained() -> keras.Sequential:
        keras.utils.set_random_seed(3)
        return network.build(inputs.shape[1], None)

    ours, theirs = untrained(), untrained()
    train_loop(network, ours, config, inputs, targets, lambda _done, _loss: None)
    theirs.compile(optimizer_of_keras(network, config, len(inputs)), loss="mse")
    theirs.fit(
        steps_of(inputs.reshape(-1, *theirs.input_shape[1:]), targets, batches(len(inputs), config)),
        steps_per_epoch=EPOCHS * -(-len(inputs) // config.resolved_batch_size),
        shuffle=False,
        verbose=0,
    )

    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=0, atol=1e-5)
    assert np.abs(ours.weights[0].numpy() - untrained().weights[0].numpy()).max() > 1e-3


def optimizer_of_keras(network: Network, config: TrainConfig, rows: int) -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.get(network.optimizer)
    if config.resolved_recipe == "article":
        return optimizer
    steps = EPOCHS * -(-rows // config.resolved_batch_size)
    return type(optimizer)(keras.optimizers.schedules.CosineDecay(config.resolved_learning_rate, steps))


def batches(rows: int, config: TrainConfig) -> Iterator[Batches]:
    return shuffled_batches(rows, config.resolved_batch_size, EPOCHS, config.seed)


def steps_of(inputs: np.ndarray, targets: np.ndarray, chunks: Iterator[Batches]) -> tf.data.Dataset:
    """The same batches, in the same order, for Keras' own fit."""
    numbers = [step[step != NO_ROW] for chunk in chunks for step in chunk]

    def batch() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for step in numbers:
            yield inputs[step].astype(np.float32), targets[step, None].astype(np.float32)

    shapes = (
        tf.TensorSpec((None, *inputs.shape[1:]), tf.float32),
        tf.TensorSpec((None, 1), tf.float32),
    )
    return tf.data.Dataset.from_generator(batch, output_signature=shapes)


@pytest.mark.parametrize("name", [name for name in NETWORKS if not NETWORKS[name].combination_only])
def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_another_seed_does_not(name: str) -> None:
    config = TrainConfig(epochs=30)
    rows = load_rows(config)

    first, again, other = (
        np.concatenate([weight.numpy().ravel() for weight in fit(NETWORKS[name], one, rows, silent).weights])
        for one in (config, config, TrainConfig(epochs=30, seed=1))
    )

    assert first.tobytes() == again.tobytes()
    if name != "linear":  # it is solved, and no seed has a part in it
        assert first.tobytes() != other.tobytes()


def test_progress_tells_every_epoch_in_order_and_a_falling_loss() -> None:
    reports: list[tuple[float, float]] = []
    config = TrainConfig(epochs=130)

    fit(NETWORKS["mlp"], config, load_rows(config), lambda _model, done, loss: reports.append((done, loss)))

    assert [done for done, _ in reports] == list(range(2, 131, 2))
    assert reports[-1][1] < reports[0][1] / 100


@pytest.mark.parametrize("name", [name for name in NETWORKS if not NETWORKS[name].combination_only])
def test_a_constant_series_is_learnt_as_that_constant(name: str) -> None:
    rows = Rows.of(np.full((100, 5), 7.0), np.full(100, 7.0), np.full(100, 7.0))

    model = fit(NETWORKS[name], TrainConfig(epochs=5), rows, silent)

    inputs = np.full((2, *model.input_shape[1:]), 7, np.float32)
    np.testing.assert_allclose(model(inputs).numpy(), 7, atol=0.1)
