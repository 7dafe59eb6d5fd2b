import keras
import numpy as np
import pytest
from keras import layers

from artifact import Batch
from training.export import Exporter, predict_litert, to_litert
from training.litert_weights import Template

WINDOWS = np.random.default_rng(5).normal(size=(7, 6)).astype(np.float32)


def recurrent() -> keras.Model:
    window = keras.Input((6,), name="window")
    state = layers.LSTM(3, unroll=True)(layers.Reshape((3, 2))(window))
    return keras.Model(window, layers.Dense(2)(layers.Dense(4, activation="relu")(state)))


def with_folded_weights() -> keras.Model:
    """The converter multiplies the kernel by the factors of the normalization behind it."""
    window = keras.Input((6,), name="window")
    model = keras.Model(window, layers.BatchNormalization()(layers.Dense(2)(window)))
    model.layers[-1].set_weights([np.full(2, factor) for factor in (3.0, 1.0, 0.5, 2.0)])
    return model


def answers(model: keras.Model) -> Batch:
    return np.asarray(model(WINDOWS))


def test_weights_written_into_a_file_that_was_converted_once_give_the_bits_of_a_conversion() -> None:
    model = recurrent()
    before = model.get_weights()

    template = Template.make(model.weights, lambda: to_litert(model))

    assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))
    assert template is not None
    model.set_weights([np.random.default_rng(len(one.ravel())).normal(size=one.shape) for one in before])
    found = predict_litert(template.fill(model.weights), WINDOWS)
    assert np.array_equal(found, predict_litert(to_litert(model), WINDOWS))
    assert found == pytest.approx(answers(model), rel=1e-5, abs=1e-6)


def test_where_the_converter_makes_other_numbers_of_the_weights_each_model_is_converted() -> None:
    model = with_folded_weights()
    exporter = Exporter(model, model.layers[1].weights)

    assert Template.make(model.layers[1].weights, lambda: to_litert(model)) is None
    for seed in (1, 2):
        model.layers[1].set_weights([np.random.default_rng(seed).normal(size=(6, 2)), np.array([seed, -1.0])])
        exported = exporter.export(WINDOWS)
        assert exported.litert(WINDOWS) == pytest.approx(answers(model), rel=1e-5, abs=1e-6)
        assert exported.keras(WINDOWS) == pytest.approx(answers(model), rel=1e-5, abs=1e-6)


def test_files_that_are_exported_later_do_not_change_those_before() -> None:
    model = recurrent()
    exporter = Exporter(model, model.weights)
    first = exporter.export(WINDOWS)
    expected = answers(model)

    model.set_weights([2 * one for one in model.get_weights()])
    second = exporter.export(WINDOWS)

    assert predict_litert(first.files["model.tflite"], WINDOWS) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert second.litert(WINDOWS) == pytest.approx(answers(model), rel=1e-5, abs=1e-6)
    assert not np.allclose(first.litert(WINDOWS), second.litert(WINDOWS))
