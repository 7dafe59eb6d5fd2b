"""Units and budget of the combination recipe, from the number of windows."""

from dataclasses import dataclass
from typing import NamedTuple

from training.combination.prepare import Prepared
from training.config import TrainConfig

STEPS = 2000  # on M1 and Tourism twice as many change nothing
LEARNING_RATE = 3e-3
UNITS = {500: 8, 2000: 16}  # fewer windows than these, and 32 from there on
LARGEST_BATCH, SMALLEST_BATCH = 128, 16


@dataclass(frozen=True)
class Budget:
    """How long is trained: at most `steps` batches of `batch_size` rows, on a cosine from `learning_rate` to zero."""

    steps: int
    batch_size: int
    learning_rate: float


class Sizes(NamedTuple):
    """Units of the hidden layers, and the budget of a fit."""

    units: int
    budget: Budget


def sizes_for(config: TrainConfig, windows: int) -> Sizes:
    """What the command line asks for, else by rule: a sixteenth of the windows in a batch, from 16 to 128.

    --epochs limits the steps to as many as go over all windows that often.
    """
    batch = config.batch_size or min(max(windows // 16, SMALLEST_BATCH), LARGEST_BATCH)
    units = config.units or next((units for below, units in UNITS.items() if windows < below), 32)
    steps = STEPS if config.epochs is None else max(config.epochs * windows // batch, 1)
    return Sizes(units, Budget(min(steps, STEPS), batch, config.learning_rate or LEARNING_RATE))


def resolved(config: TrainConfig, prepared: Prepared) -> dict[str, int | float]:
    """For the card: what was chosen by rule, or by an option, by the name of the option."""
    windows = prepared.windows
    units, budget = sizes_for(config, len(windows.last))
    return {
        "window": windows.window,
        "season": windows.season,
        "units": units,
        "backtest": prepared.spans.judged,
        "batch_size": budget.batch_size,
        "learning_rate": budget.learning_rate,
    }
