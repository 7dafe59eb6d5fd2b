"""Hidden layers with a recurrent layer, for the combination recipe."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import keras

# The layer is unrolled, for TFLiteConverter: the time that XLA needs to compile it grows with the steps.
MOST_STEPS = 12


def recurrent(
    kind: Literal["LSTM", "GRU"], shape: "keras.KerasTensor", errors: "keras.KerasTensor", season: int, units: int
) -> "keras.KerasTensor":
    """A layer of `kind` over the scaled window; Dense(units) with ReLU on its state and the methods' errors.

    shape: (rows, window). errors: (rows, errors). A step of the layer is one season of values: what it carries along
    is how the seasons change. Without a season, or where there are too many, MOST_STEPS steps share the window.
    """
    from keras import layers

    window = shape.shape[1]
    width = min(max(season, -(-window // MOST_STEPS)), window)
    left_over = window % width
    values = layers.Reshape((window, 1))(shape)
    values = layers.Cropping1D((left_over, 0))(values) if left_over else values
    values = layers.Reshape((window // width, width))(values)
    state = getattr(layers, kind)(max(units // 2, 1), unroll=True)(values)
    return layers.Dense(units, activation="relu")(layers.Concatenate()([state, errors]))
