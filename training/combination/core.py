"""The trained part of a combination network: the weights by which forecasts are combined."""

import keras
import numpy as np
from keras import layers, ops

from training.combination.linear import FULL, MOST_UNIT
from training.combination.start import Start
from training.networks.network import Hidden

INPUTS = ("shape", "errors", "scaled", "candidates")
REGRESSORS = ("scaled", "place", "per_spread")  # as far as the front has them
LINEAR, WEIGHTS, SHARES = "linear", "weights", "shares"
HOME, UNIT = "home", "unit"


def build_core(front: keras.Model, season: int, hidden: Hidden, units: int, name: str) -> keras.Model:
    """A core as a Keras model: takes those outputs of the front that `INPUTS` names, and gives (rows, steps).

    Its forecast is a weighted mean of the candidates and of a linear function of the scaled window. The weights are
    a softmax on the hidden layers. Without hidden layers it is the linear function alone.
    """
    names = [*INPUTS, *(key for key in REGRESSORS[1:] if key in front.output)]
    inputs = {key: keras.Input(front.output[key].shape[1:], name=key) for key in names}
    steps = inputs["candidates"].shape[2]
    linear = layers.Dense(steps, kernel_initializer="zeros", trainable=False, name=LINEAR)
    straight = linear(_regressors(inputs))
    state = hidden(inputs["shape"], inputs["errors"], season, units)
    if state is None:
        return keras.Model({key: inputs[key] for key in REGRESSORS if key in inputs}, straight, name=name)
    candidates = layers.Concatenate(axis=1)([inputs["candidates"], layers.Reshape((1, steps))(straight)])
    weights = layers.Softmax(name=SHARES)(
        layers.Dense(candidates.shape[1], kernel_initializer="zeros", name=WEIGHTS)(state)
    )
    return keras.Model(inputs, layers.Dot(axes=(1, 1))([weights, candidates]), name=name)


def _regressors(inputs: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
    """What the linear function sees: the same as `training.combination.linear.Regressors` computes with NumPy."""
    scaled = inputs["scaled"]
    if "place" not in inputs:
        return scaled
    home = layers.Dense(1, trainable=False, name=HOME)(inputs["place"])
    beyond = ops.clip(layers.Rescaling(1.0, offset=-FULL)(ops.absolute(home)), 0, FULL)
    near = layers.Rescaling(-1 / FULL, offset=1.0)(beyond)
    plain = near
    if "per_spread" in inputs:
        scale = layers.Dense(1, use_bias=False, trainable=False, name=UNIT)(inputs["per_spread"])
        plain = layers.Multiply()([near, ops.clip(scale, 0, MOST_UNIT)])
    pull = layers.Multiply()([ops.clip(home, -FULL, FULL), plain])
    return layers.Concatenate()([scaled, layers.Multiply()([scaled, near]), pull, plain])


def with_share(core: keras.Model) -> keras.Model:
    """The core with a second output: the weight of the linear candidate, (rows, 1); without hidden layers as it is."""
    if not core.trainable_variables:
        return core
    return keras.Model(core.inputs, [core.output, core.get_layer(SHARES).output[:, -1:]])


def start_from(core: keras.Model, start: Start) -> None:
    """Set the linear candidate and the first weights of a core."""
    core.get_layer(LINEAR).set_weights([start.linear.kernel, start.linear.bias])
    regressors = start.linear.regressors
    if "place" in core.input:
        core.get_layer(HOME).set_weights([np.array([[regressors.slope]]), np.array([regressors.offset])])
    if "per_spread" in core.input:
        core.get_layer(UNIT).set_weights([np.array([[regressors.unit]])])
    if core.trainable_variables:
        last = core.get_layer(WEIGHTS)
        last.set_weights([last.get_weights()[0], start.logits])
