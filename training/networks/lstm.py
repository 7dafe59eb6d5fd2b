"""The article's LSTM: LSTM(8) → Dense(2) → Dense(1) on the window."""

from typing import TYPE_CHECKING

from training.networks.network import Network
from training.networks.recurrent import recurrent
from training.networks.scaling import normalization
from training.values import Values

if TYPE_CHECKING:
    import keras


def build(width: int, inputs: Values | None = None) -> "keras.Sequential":
    """(rows, width, 1) → (rows, 1). Layer sizes and initializers are the article's."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((width, 1), name="window"),
            *normalization(inputs, (-1, width, 1)),
            # TFLiteConverter refuses a Keras LSTM with a dynamic number of rows unless it is unrolled.
            layers.LSTM(8, unroll=True),
            layers.Dense(2, kernel_initializer="normal"),
            layers.Dense(1, kernel_initializer="normal"),
        ],
        name="lstm",
    )


def hidden(shape: "keras.KerasTensor", errors: "keras.KerasTensor", season: int, units: int) -> "keras.KerasTensor":
    """LSTM(units / 2) over the seasons of the window, then Dense(units) on its state and the errors."""
    return recurrent("LSTM", shape, errors, season, units)


LSTM = Network("lstm", input="window", build=build, optimizer="adam", hidden=(hidden,))
