import numpy as np
import pytest

from training.backtest.windows import Stretches, make_windows
from training.combination.fit import suits_logarithms
from training.values import Values

WINDOW = 6


def growing(count: int) -> Values:
    """A positive series that doubles every ten rows, with noise in proportion to its size."""
    noise: Values = np.exp(np.random.default_rng(0).normal(size=count) / 10)
    return noise * 2 ** (np.arange(count) / 10)


@pytest.mark.parametrize(
    ("series", "logarithms"),
    [
        ([growing(36)], False),
        ([growing(100)], True),
        ([growing(36), growing(36)], True),
        ([growing(100) - 2], False),
        ([1000 + np.arange(100.0)], False),
    ],
    ids=["short", "long", "two short ones", "not positive", "hardly varying"],
)
def test_positive_series_that_vary_suit_logarithms_but_not_a_short_one_alone(
    series: list[Values],
    logarithms: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert suits_logarithms(make_windows(Stretches.of(series), WINDOW, [1], 1)) == logarithms
