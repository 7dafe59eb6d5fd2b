"""The fixed part of a combination network: scaling of each window, and the forecasts that are combined."""

import keras
import numpy as np
from keras import layers, ops

from training.combination.lookback import Lookback
from training.values import Values

# A value below this share of its window's mean counts as the share: zeros have no logarithm.
LOG_FLOOR = 0.02
# Errors below these are those of a method that is as good as exact; in units of the spread, or of logarithms.
LEAST = {False: 0.01, True: 0.002}
# Differences below this share of the level are rounding of float32.
LEAST_SPREAD = 1e-7
SMALLEST = 1e-30  # keeps the quotients of windows of zeros finite
MOST_SHAPE = 10.0  # of a value in a scaled window that the network sees: an outlier has no effect beyond
SHAPE_UNIT = 5.0  # errors of the best method; brings most values of the scaled window between -1 and 1


def build_front(lookback: Lookback) -> keras.Model:
    """A Keras model of fixed weights, (rows, window) → a dict of what the trained part needs.

    unit: (rows, 1), the mean of absolute values, by which the window is divided where it works on logarithms.
    level: (rows, 1), the mean of the last season. spread: (rows, 1), the mean distance of the values from the level;
    not with logarithms. scaled: (rows, window), the window less its level, over its spread.
    place: (rows, 1), the level in the series' unit, or its logarithm; per_spread: (rows, 1), one over the spread, not
    with logarithms; both only of a lookback that reverts.
    candidates: (rows, methods, steps), the forecasts of all methods for the scaled window.
    shape: (rows, window), the scaled window in units of the smallest error that a method makes within it.
    errors: (rows, n), logarithms of the methods' errors within the window in the same unit, and of the unit itself.
    """
    window = keras.Input((lookback.window,), name="window")
    outputs = {}
    values = window
    if lookback.log:
        outputs["unit"] = unit = ops.maximum(_mean(lookback.window)(ops.absolute(window)), SMALLEST)
        values = ops.log(ops.maximum(ops.divide(window, unit), LOG_FLOOR))
    level = _fixed(_last_mean(lookback))(values)
    scaled = layers.Subtract()([values, level])
    if not lookback.log:
        least = ops.maximum(layers.Rescaling(LEAST_SPREAD)(ops.absolute(level)), SMALLEST)
        spread = ops.maximum(_mean(lookback.window)(ops.absolute(scaled)), least)
        scaled = ops.divide(scaled, spread)
        outputs["spread"] = spread
    if lookback.reverts:
        outputs |= _place(lookback, level, outputs)
    shape, errors = _features(lookback, scaled)
    outputs |= {"level": level, "scaled": scaled, "shape": shape, "errors": errors}
    matrix = np.concatenate([found.forecast for found in lookback.forecasters], axis=1)
    methods = layers.Reshape((len(lookback.forecasters), lookback.steps))
    outputs["candidates"] = methods(_fixed(matrix)(scaled))
    return keras.Model(window, outputs, name="scale")


def _place(
    lookback: Lookback, level: keras.KerasTensor, outputs: dict[str, keras.KerasTensor]
) -> dict[str, keras.KerasTensor]:
    if lookback.log:
        return {"place": layers.Add()([level, ops.log(outputs["unit"])])}
    return {"place": layers.Identity()(level), "per_spread": ops.divide(1.0, outputs["spread"])}


def _features(lookback: Lookback, scaled: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    matrix, methods = _errors(lookback)
    each = layers.Reshape((methods, -1))(ops.absolute(_fixed(matrix)(scaled)))
    errors = ops.maximum(layers.GlobalAveragePooling1D(data_format="channels_first")(each), LEAST[lookback.log])
    least = ops.min(errors, axis=1, keepdims=True)
    shape = ops.clip(ops.divide(scaled, layers.Rescaling(SHAPE_UNIT)(least)), -MOST_SHAPE, MOST_SHAPE)
    return shape, layers.Concatenate()([ops.log(ops.divide(errors, least)), layers.Rescaling(0.5)(ops.log(least))])


def _errors(lookback: Lookback) -> tuple[Values, int]:
    """The errors of all methods that make different ones, (window, methods * n), and how many methods these are.

    A method with fewer than n errors has zeros in their place, and the others are larger by as much: means stay.
    """
    different = list({id(found.errors): found.errors for found in lookback.forecasters}.values())
    most = max(errors.shape[1] for errors in different)
    padded = [np.pad(errors * (most / errors.shape[1]), ((0, 0), (most - errors.shape[1], 0))) for errors in different]
    return np.concatenate(padded, axis=1), len(padded)


def _last_mean(lookback: Lookback) -> Values:
    last = min(lookback.season, lookback.window)
    mean: Values = np.r_[np.zeros(lookback.window - last), np.full(last, 1 / last)][:, None]
    return mean


def _mean(count: int) -> layers.Layer:
    return _fixed(np.full((count, 1), 1 / count))


def _fixed(matrix: Values) -> layers.Layer:
    """A Dense layer that multiplies by `matrix`, (inputs, outputs), and is not trained."""
    layer = layers.Dense(matrix.shape[1], use_bias=False, trainable=False)
    layer.build((None, matrix.shape[0]))
    layer.set_weights([matrix])
    return layer
