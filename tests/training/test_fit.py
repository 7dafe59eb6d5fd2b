from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from training.config import TrainConfig
from training.data.series import Rows, load_rows
from training.fit import NO_ROW, Batches, compiled_fit, fit, make_optimizer, shuffled_batches
from training.networks import build_lstm, build_mlp

EPOCHS = 12


def silent(done: int, loss: float) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("recipe", ["scaled", "article"])
@pytest.mark.parametrize("name", ["lstm", "mlp"])
@pytest.mark.parametrize("batch_size", [5, 7], ids=["full batches", "a short last batch"])
def test_the_compiled_loop_takes_the_steps_of_keras_fit(name: str, recipe: str, batch_size: int) -> None:
    config = TrainConfig(recipe=recipe, epochs=EPOCHS, batch_size=batch_size)
    rows = load_rows(config)
    inputs = (rows.windows if name == "lstm" else rows.windows[:, -1:]) / 100
    targets = rows.targets / 100
    steps = EPOCHS * -(-len(inputs) // batch_size)

    def untrained() -> keras.Sequential:
        keras.utils.set_random_seed(3)
        return build_lstm(5) if name == "lstm" else build_mlp()

    ours, theirs = untrained(), untrained()
    compiled_fit(ours, make_optimizer(name, config, steps), inputs, targets, batches(len(inputs), config), silent)
    theirs.compile(make_optimizer(name, config, steps), loss="mse")
    theirs.fit(
        steps_of(inputs.reshape(-1, *theirs.input_shape[1:]), targets, batches(len(inputs), config)),
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
    )

    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=0, atol=1e-5)
    assert np.abs(ours.weights[0].numpy() - untrained().weights[0].numpy()).max() > 1e-3


def batches(rows: int, config: TrainConfig) -> Iterator[Batches]:
    return shuffled_batches(rows, config.batch_size, EPOCHS, config.seed)


def steps_of(inputs: np.ndarray, targets: np.ndarray, chunks: Iterator[Batches]) -> tf.data.Dataset:
    """The same batches, in the same order, for Keras' own fit."""
    numbers = [step[step != NO_ROW] for chunk in chunks for epoch in chunk for step in epoch]

    def batch() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for step in numbers:
            yield inputs[step].astype(np.float32), targets[step, None].astype(np.float32)

    shapes = (
        tf.TensorSpec((None, *inputs.shape[1:]), tf.float32),
        tf.TensorSpec((None, 1), tf.float32),
    )
    return tf.data.Dataset.from_generator(batch, output_signature=shapes)


@given(rows=st.integers(1, 60), batch_size=st.integers(1, 70), epochs=st.integers(1, 250))
def test_each_epoch_sees_each_row_once(rows: int, batch_size: int, epochs: int) -> None:
    numbers = np.concatenate(list(shuffled_batches(rows, batch_size, epochs, seed=0)))

    assert len(numbers) == epochs
    for epoch in numbers:
        assert sorted(epoch[epoch != NO_ROW].tolist()) == list(range(rows))
        assert all((step != NO_ROW).any() for step in epoch)


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_another_seed_does_not(name: str) -> None:
    config = TrainConfig(epochs=30)
    rows = load_rows(config)

    first, again, other = (
        np.concatenate([weight.numpy().ravel() for weight in fit(name, one, rows, silent).weights])
        for one in (config, config, TrainConfig(epochs=30, seed=1))
    )

    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_progress_tells_every_epoch_in_order_and_a_falling_loss() -> None:
    reports: list[tuple[int, float]] = []
    config = TrainConfig(epochs=130)

    fit("mlp", config, load_rows(config), lambda done, loss: reports.append((done, loss)))

    assert [done for done, _ in reports] == list(range(2, 131, 2))
    assert reports[-1][1] < reports[0][1] / 100


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_a_constant_series_is_learnt_as_that_constant(name: str) -> None:
    rows = Rows(np.full((30, 5), 7.0), np.full(30, 7.0), np.full(30, 7.0))

    model = fit(name, TrainConfig(epochs=5), rows, silent)

    inputs = np.full((2, *model.input_shape[1:]), 7, np.float32)
    np.testing.assert_allclose(model(inputs).numpy(), 7, atol=0.1)


def test_the_networks_are_those_of_the_article() -> None:
    lstm, mlp = build_lstm(5), build_mlp()

    assert [type(layer).__name__ for layer in lstm.layers] == ["LSTM", "Dense", "Dense"]
    assert [layer.units for layer in lstm.layers] == [8, 2, 1]
    assert [layer.units for layer in mlp.layers] == [8, 2, 1]
    assert {layer.activation.__name__ for layer in [*lstm.layers[1:], *mlp.layers]} == {"linear"}
    assert {type(layer.kernel_initializer).__name__ for layer in lstm.layers[1:]} == {"RandomNormal"}
