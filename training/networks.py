"""The two networks, with their scaling inside the graph so that training and serving cannot disagree about it."""

import keras
import numpy as np
from keras import layers

from training.data.series import Values


def build_lstm(window: int, inputs: Values | None = None, *, unroll: bool = True) -> keras.Sequential:
    """LSTM(8) → Dense(2) → Dense(1) on (rows, window, 1).

    With `inputs`, (rows, window) to train on, a Normalization adapted on them comes first. The steps are
    unrolled: LiteRT runs a Keras LSTM at any number of rows only so. Rolled up it has the same weights, and XLA is
    done with a window of 50 in one second instead of twenty.
    """
    return keras.Sequential(
        [
            keras.Input((window, 1), name="window"),
            *_scaling(inputs, (-1, window, 1)),
            layers.LSTM(8, unroll=unroll),
            layers.Dense(2, kernel_initializer="normal"),
            layers.Dense(1, kernel_initializer="normal"),
        ],
        name="lstm",
    )


def build_mlp(inputs: Values | None = None, *, window: int = 1, activation: str = "linear") -> keras.Sequential:
    """Dense(8) → Dense(2) → Dense(1) on (rows, window), `activation` after the first; scaled as in `build_lstm`."""
    return keras.Sequential(
        [
            keras.Input((window,), name="value"),
            *_scaling(inputs, (-1, window)),
            layers.Dense(8, activation=activation),
            layers.Dense(2),
            layers.Dense(1),
        ],
        name="mlp",
    )


def inputs_of(name: str, windows: Values) -> Values:
    """What the network `name` sees of (rows, window): the LSTM all of it, the MLP the last value as (rows, 1)."""
    return windows if name == "lstm" else windows[:, -1:]


def _scaling(inputs: Values | None, shape: tuple[int, ...]) -> list[layers.Layer]:
    if inputs is None:
        return []
    normalization = layers.Normalization(axis=None)
    normalization.adapt(inputs.reshape(shape))
    return [normalization]


def spread(targets: Values) -> float:
    """The targets' standard deviation, or 1 where they are all the same."""
    return float(np.std(targets)) or 1.0


def with_rescaling(core: keras.Sequential, targets: Values) -> keras.Sequential:
    """`core`, fitted on standardised targets, followed by the way back to the targets' own unit."""
    rescaling = layers.Rescaling(scale=spread(targets), offset=float(np.mean(targets)))
    source = keras.Input(core.input_shape[1:], name=core.inputs[0].name)
    return keras.Sequential([source, *core.layers, rescaling], name=core.name)
