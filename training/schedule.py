"""Learning rate of a compiled training loop: a cosine whose numbers can change without compiling the loop again."""

import math

import keras
import tensorflow as tf


class Cosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc] # Keras has no types
    """A learning rate that falls from `rate` to zero over `steps` on a cosine, or stays where these are infinite.

    A compiled program sees changes of both.
    """

    def __init__(self) -> None:
        self.rate, self.steps = tf.Variable(0.0, trainable=False), tf.Variable(1.0, trainable=False)

    def set(self, rate: float, steps: float) -> None:
        """Begin at `rate`; zero is reached after `steps`."""
        self.rate.assign(rate)
        self.steps.assign(steps)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        done = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        return self.rate * 0.5 * (1.0 + tf.cos(math.pi * done))
