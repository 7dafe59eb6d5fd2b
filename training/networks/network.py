"""`Network`: an entry of the registry of networks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from training.values import Values

if TYPE_CHECKING:
    import keras

Build = Callable[[int, Values | None], "keras.Sequential"]
Solve = Callable[["keras.Sequential", Values, Values], None]
Hidden = Callable[["keras.KerasTensor", "keras.KerasTensor", int, int], "keras.KerasTensor | None"]
"""Hidden layers of a combination network: takes the scaled window, (rows, window), the errors of the methods,
(rows, errors), the season and the number of units. Gives (rows, units), or None for a network that is linear."""


@dataclass(frozen=True)
class Network:
    """A network that can be trained, published and served.

    name: what `--networks` calls it. input: what it sees of a row, the whole window or the window's last value; the
    Keras input has the same name, and so has the key in a request's JSON.

    build: makes the untrained model for rows of n values, (rows, n) or (rows, n, 1) → (rows, 1). Its second argument
    is None, or the inputs, (rows, n), on which a Normalization layer at the beginning is adapted.

    optimizer: the name that Keras has for the optimizer of the training loop, or a function that sets the weights in
    closed form, given the model, the inputs (rows, n) and the targets (rows,).

    hidden: the hidden layers by which the combination recipe makes this network; with several, the network averages
    one fit of each; empty for a network that this recipe does not know. combination_only: whether the other recipes do
    not know it.
    """

    name: str
    input: Literal["window", "value"]
    build: Build
    optimizer: str | Solve
    hidden: tuple[Hidden, ...] = ()
    combination_only: bool = False

    def inputs(self, windows: Values) -> Values:
        """What the network sees of `windows`, (rows, window) → (rows, window) or (rows, 1)."""
        return windows if self.input == "window" else windows[:, -1:]
