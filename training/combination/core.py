"""The trained part of a combination network: the weights by which forecasts are combined."""

import keras
import numpy as np
from keras import layers

from training.networks.network import Hidden
from training.values import Values

INPUTS = ("shape", "errors", "scaled", "candidates")
LINEAR = "linear"
# Of the mean square of the scaled window's values: what keeps least squares on a few rows from following their noise.
RIDGE = 1e-3


def build_core(front: keras.Model, season: int, hidden: Hidden, units: int, name: str) -> keras.Model:
    """A core as a Keras model: takes those outputs of the front that `INPUTS` names, and gives (rows, steps).

    Its forecast is a weighted mean of the candidates and of a linear function of the scaled window. The weights are
    a softmax on the hidden layers, and equal at first. Without hidden layers it is the linear function alone.
    """
    inputs = {key: keras.Input(front.output[key].shape[1:], name=key) for key in INPUTS}
    steps = inputs["candidates"].shape[2]
    linear = layers.Dense(steps, kernel_initializer="zeros", trainable=False, name=LINEAR)
    straight = linear(inputs["scaled"])
    state = hidden(inputs["shape"], inputs["errors"], season, units)
    if state is None:
        return keras.Model({"scaled": inputs["scaled"]}, straight, name=name)
    candidates = layers.Concatenate(axis=1)([inputs["candidates"], layers.Reshape((1, steps))(straight)])
    weights = layers.Softmax()(layers.Dense(candidates.shape[1], kernel_initializer="zeros")(state))
    return keras.Model(inputs, layers.Dot(axes=(1, 1))([weights, candidates]), name=name)


def solve_linear(core: keras.Model, scaled: Values, targets: Values, weights: Values) -> None:
    """Make the linear candidate a ridge regression of the targets on the scaled windows, in closed form.

    scaled: (rows, window). targets: (rows, steps), NaN where a value is not known. weights: (rows,).
    """
    columns = np.column_stack([scaled, np.ones(len(scaled))])
    solution = np.zeros((columns.shape[1], targets.shape[1]))
    for step, values in enumerate(targets.T):
        known = ~np.isnan(values)
        weighted = columns[known].T * weights[known]
        squares = weighted @ columns[known]
        squares[np.diag_indices_from(squares)] += RIDGE * np.trace(squares) / len(squares)
        if known.any():
            solution[:, step] = np.linalg.solve(squares, weighted @ values[known])
    core.get_layer(LINEAR).set_weights([solution[:-1], solution[-1]])
