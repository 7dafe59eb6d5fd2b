"""Compiled programs of the scaled and article recipes: compiling takes longer than training, so fits share them."""

from collections.abc import Sequence
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf

from training.loop import compile_loop
from training.networks.network import Network
from training.padding import pad_rows, padded
from training.schedule import Cosine
from training.values import Values

KEPT = 16  # programs of a process


class Program:
    """A network without scaling layers and its compiled training loop, for fits on at most `rows` rows."""

    def __init__(self, network: Network, width: int, rows: int) -> None:
        self.core = network.build(width, None)
        self.schedule = Cosine()
        self._optimizer = type(keras.optimizers.get(network.optimizer))(self.schedule)
        self._x = tf.Variable(tf.zeros((rows, *self.core.input_shape[1:])), trainable=False)
        self._y = tf.Variable(tf.zeros((rows, 1)), trainable=False)
        self.loop = compile_loop(self.core, self._optimizer, self._x, self._y)
        self._first = [np.asarray(variable) for variable in self._optimizer.variables]

    def begin(self, weights: Sequence[keras.Variable], inputs: Values, targets: Values) -> None:
        """The state before the first step of a fit. inputs, (n, width), and targets, (n,), are scaled."""
        copy(weights, self.core.trainable_variables)
        for variable, value in zip(self._optimizer.variables, self._first, strict=True):
            variable.assign(value)
        rows = self._x.shape[0]
        self._x.assign(pad_rows(inputs, rows).reshape(self._x.shape))
        self._y.assign(pad_rows(targets.reshape(-1, 1), rows))


@lru_cache(KEPT)
def _program(network: Network, width: int, rows: int) -> Program:
    return Program(network, width, rows)


def program_of(network: Network, width: int, rows: int) -> Program:
    """The program of this process for `network` on at least `rows` rows of `width` values."""
    return _program(network, width, padded(rows))


def copy(source: Sequence[keras.Variable], target: Sequence[keras.Variable]) -> None:
    """Give each variable of `target` the value of the one of `source`."""
    for variable, value in zip(target, source, strict=True):
        variable.assign(value)
