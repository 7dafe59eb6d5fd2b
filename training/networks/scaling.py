"""Scaling layers inside the network, so that training and serving cannot scale differently."""

import math
from typing import TYPE_CHECKING

import numpy as np

from training.values import Values

if TYPE_CHECKING:
    import keras


SMALL = 2.0**-10  # smallest standard deviation without a Rescaling: Normalization divides by at least 1e-7


def normalization(inputs: Values | None, shape: tuple[int, ...]) -> "list[keras.layers.Layer]":
    """A Normalization layer with one mean and one variance over all of `inputs`, as a list; empty without inputs.

    For small inputs it follows a Rescaling by a power of two, which is exact. shape: of the input of the layer, -1 for
    the rows.
    """
    from keras import layers

    if inputs is None:
        return []
    spread = standard_deviation(inputs)
    factor = 1.0 if spread >= SMALL else 2.0 ** -math.floor(math.log2(spread))
    layer = layers.Normalization(axis=None)
    layer.adapt((inputs * factor).reshape(shape))
    return [layer] if factor == 1 else [layers.Rescaling(factor), layer]


def standard_deviation(values: Values) -> float:
    """The standard deviation, or 1 if all values are the same, to avoid a division by 0."""
    return float(np.std(values)) or 1.0


def standardise(values: Values, fitted: Values) -> Values:
    """`values` minus the mean of `fitted`, divided by its standard deviation."""
    standardised: Values = (values - fitted.mean()) / standard_deviation(fitted)
    return standardised


def with_rescaling(core: "keras.Sequential", targets: Values) -> "keras.Sequential":
    """`core`, fitted on standardised targets, followed by a layer that restores the unit of the targets."""
    import keras

    rescaling = keras.layers.Rescaling(scale=standard_deviation(targets), offset=float(np.mean(targets)))
    source = keras.Input(core.input_shape[1:], name=core.inputs[0].name)
    return keras.Sequential([source, *core.layers, rescaling], name=core.name)
