"""`Lookback`: what a combination network sees and answers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.combination.forecasters import Forecaster, forecasters


@dataclass(frozen=True)
class Lookback:
    """What a combination network sees and answers.

    window: values. ahead: rows from the window's last value to each step. season: rows, 1 for none. log: whether it
    works on logarithms, so that it learns relative changes. reverts: whether least squares sees the window's level, so
    that it can revert to the mean; of several series there is no mean in common.
    """

    window: int
    ahead: tuple[int, ...]
    season: int
    log: bool
    reverts: bool = False

    @property
    def steps(self) -> int:
        return len(self.ahead)

    @cached_property
    def forecasters(self) -> list[Forecaster]:
        return forecasters(self.window, np.array(self.ahead, float), self.season)
