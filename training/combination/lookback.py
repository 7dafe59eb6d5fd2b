"""`Lookback`: what a combination network sees and answers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.combination.forecasters import Forecaster, forecasters


@dataclass(frozen=True)
class Lookback:
    """What a combination network sees and answers.

    window: values. ahead: rows from the window's last value to each step. season: rows, 1 for none. log: whether it
    works on logarithms, so that it learns relative changes.
    """

    window: int
    ahead: tuple[int, ...]
    season: int
    log: bool

    @property
    def steps(self) -> int:
        return len(self.ahead)

    @cached_property
    def forecasters(self) -> list[Forecaster]:
        return forecasters(self.window, np.array(self.ahead, float), self.season)
