"""The article's MLP, Dense(8) → Dense(2) → Dense(1), on the last value; and two variants on the whole window."""

from typing import TYPE_CHECKING

from training.networks.network import Network
from training.networks.scaling import normalization
from training.values import Values

if TYPE_CHECKING:
    import keras


def build(width: int, inputs: Values | None = None) -> "keras.Sequential":
    """(rows, width) → (rows, 1); linear in every layer, as in the article."""
    return _mlp("mlp", "value", width, inputs, "linear")


def build_on_window(width: int, inputs: Values | None = None) -> "keras.Sequential":
    """(rows, width) → (rows, 1); linear in every layer."""
    return _mlp("mlp-window", "window", width, inputs, "linear")


def build_tanh(width: int, inputs: Values | None = None) -> "keras.Sequential":
    """(rows, width) → (rows, 1); tanh after the first layer."""
    return _mlp("mlp-tanh", "window", width, inputs, "tanh")


def _mlp(name: str, source: str, width: int, inputs: Values | None, activation: str) -> "keras.Sequential":
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((width,), name=source),
            *normalization(inputs, (-1, width)),
            layers.Dense(8, activation=activation),
            layers.Dense(2),
            layers.Dense(1),
        ],
        name=name,
    )


def hidden(shape: "keras.KerasTensor", errors: "keras.KerasTensor", _season: int, units: int) -> "keras.KerasTensor":
    """Dense(units) twice, with ReLU."""
    return _hidden(shape, errors, units, "relu")


def hidden_tanh(
    shape: "keras.KerasTensor", errors: "keras.KerasTensor", _season: int, units: int
) -> "keras.KerasTensor":
    """Dense(units) twice, with tanh."""
    return _hidden(shape, errors, units, "tanh")


def _hidden(
    shape: "keras.KerasTensor", errors: "keras.KerasTensor", units: int, activation: str
) -> "keras.KerasTensor":
    from keras import layers

    features = layers.Concatenate()([shape, errors])
    return layers.Dense(units, activation=activation)(layers.Dense(units, activation=activation)(features))


MLP = Network("mlp", input="value", build=build, optimizer="rmsprop", hidden=(hidden,))
MLP_WINDOW = Network("mlp-window", input="window", build=build_on_window, optimizer="adam", hidden=(hidden,))
MLP_TANH = Network("mlp-tanh", input="window", build=build_tanh, optimizer="adam", hidden=(hidden_tanh,))
