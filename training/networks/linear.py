"""Linear least squares on the window, as a network of one Dense layer whose weights are solved in closed form."""

from typing import TYPE_CHECKING

import numpy as np

from training.least_squares import least_squares
from training.networks.network import Network
from training.networks.scaling import normalization
from training.values import Values

if TYPE_CHECKING:
    import keras

# Singular values below this share of the largest are rounding of float32, of which the weights must not be made.
CUTOFF = 1e-6


def build(width: int, inputs: Values | None = None) -> "keras.Sequential":
    """(rows, width) → (rows, 1)."""
    import keras
    from keras import layers

    return keras.Sequential(
        [keras.Input((width,), name="window"), *normalization(inputs, (-1, width)), layers.Dense(1)], name="linear"
    )


def solve(model: "keras.Sequential", inputs: Values, targets: Values) -> None:
    """Set the Dense layer's weights to the least squares solution with an intercept, in float64.

    It is solved on what the layer really gets, the inputs in float32 after the layers before it: a large offset or
    an odd unit then costs no more digits than it does when the model is served.
    """
    *before, dense = model.layers
    values = inputs.astype(np.float32)
    for layer in before:
        values = layer(values)
    coefficients, intercept = least_squares(np.asarray(values, np.float64), targets, CUTOFF)
    dense.set_weights([coefficients[:, None], np.array([intercept])])


def hidden(_shape: "keras.KerasTensor", _errors: "keras.KerasTensor", _season: int, _units: int) -> None:
    """No hidden layers: the linear forecast of the scaled window alone."""


LINEAR = Network("linear", input="window", build=build, optimizer=solve, hidden=(hidden,))
