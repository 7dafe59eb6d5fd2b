"""The graph of a combination network that is exported: scaling, cores, their mean, and the way back to the unit."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from training.combination.lookback import Lookback

# Forecasts further from the mean of the window than this, in logarithms, are cut: exp would leave float32.
FURTHEST_LOG = 10.0


def assemble(name: str, lookback: Lookback, front: keras.Model, cores: Sequence[keras.Model]) -> keras.Model:
    """The mean of some fitted cores as a model called `name`, (rows, window) → (rows, steps), in the series' unit."""
    window = keras.Input((lookback.window,), name="window")
    found = front(window)
    forecasts = [core({one.name: found[one.name] for one in core.inputs}) for core in cores]
    mean = layers.Average()(forecasts) if len(forecasts) > 1 else forecasts[0]
    if lookback.log:
        away = ops.clip(layers.Add()([mean, found["level"]]), -FURTHEST_LOG, FURTHEST_LOG)
        forecast = layers.Multiply()([ops.exp(away), found["unit"]])
    else:
        forecast = layers.Add()([layers.Multiply()([mean, found["spread"]]), found["level"]])
    return keras.Model(window, layers.Identity(name="prediction")(forecast), name=name)
