"""Scaling inside the graph, so that training and serving cannot scale differently."""

from typing import TYPE_CHECKING

import numpy as np

from training.values import Values

if TYPE_CHECKING:
    import keras


def normalization(inputs: Values | None, shape: tuple[int, ...]) -> "list[keras.layers.Layer]":
    """A Normalization layer with one mean and one variance over all of `inputs`, as a list; empty without inputs.

    shape: the shape of the layer's input, -1 for the rows.
    """
    from keras import layers

    if inputs is None:
        return []
    layer = layers.Normalization(axis=None)
    layer.adapt(inputs.reshape(shape))
    return [layer]


def standard_deviation(values: Values) -> float:
    """The standard deviation, or 1 where all values are the same, so that it can be divided by."""
    return float(np.std(values)) or 1.0


def standardise(values: Values, fitted: Values) -> Values:
    """`values` less the mean of `fitted`, over its standard deviation."""
    standardised: Values = (values - fitted.mean()) / standard_deviation(fitted)
    return standardised


def with_rescaling(core: "keras.Sequential", targets: Values) -> "keras.Sequential":
    """`core`, which is fitted on standardised targets, followed by a layer that brings back the targets' unit."""
    import keras

    rescaling = keras.layers.Rescaling(scale=standard_deviation(targets), offset=float(np.mean(targets)))
    source = keras.Input(core.input_shape[1:], name=core.inputs[0].name)
    return keras.Sequential([source, *core.layers, rescaling], name=core.name)
