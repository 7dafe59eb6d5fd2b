import keras
import numpy as np
import pytest

from training.networks.registry import NETWORKS


def test_the_lstm_and_the_mlp_are_those_of_the_article() -> None:
    lstm, mlp = NETWORKS["lstm"].build(5, None), NETWORKS["mlp"].build(1, None)

    assert [type(layer).__name__ for layer in lstm.layers] == ["LSTM", "Dense", "Dense"]
    assert [layer.units for layer in lstm.layers] == [8, 2, 1]
    assert [layer.units for layer in mlp.layers] == [8, 2, 1]
    assert {layer.activation.__name__ for layer in [*lstm.layers[1:], *mlp.layers]} == {"linear"}
    assert {type(layer.kernel_initializer).__name__ for layer in lstm.layers[1:]} == {"RandomNormal"}


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if not network.combination_only])
def test_a_network_is_registered_by_its_name_and_its_keras_input_is_named_for_what_it_sees(name: str) -> None:
    network = NETWORKS[name]
    seen = network.inputs(np.arange(12.0).reshape(4, 3))

    model = network.build(seen.shape[1], seen)

    assert name == network.name == model.name
    assert model.inputs[0].name == network.input
    assert seen.tolist()[0] == ([0, 1, 2] if network.input == "window" else [2])
    assert model.output_shape == (None, 1)
    assert isinstance(model.layers[0], keras.layers.Normalization)
