import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact.intervals import MAX_SCORES
from training.backtest.calibrate import LATER_FIT, Judged, binomial_range, calibrate, kept_ranks, measure
from training.backtest.shapes import learn_shapes


def noise(count: int, seed: int, unit: float = 1.0) -> Judged:
    """Windows of 12 with as much noise as each other, a naive forecast of 3 steps, and what came."""
    random = np.random.default_rng(seed)
    values = np.cumsum(random.normal(size=(count, 15)), axis=1) * random.lognormal(size=(count, 1)) * unit
    return Judged(values[:, :12], np.repeat(values[:, 11:12], 3, axis=1), values[:, 12:])


def by_a_later_fit(found: Judged) -> Judged:
    """The same windows, with the smaller errors of a network that has seen more rows."""
    return found._replace(forecasts=found.actual + LATER_FIT * (found.forecasts - found.actual))


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e13])
def test_intervals_of_a_later_fit_cover_what_they_say_on_windows_that_no_score_comes_from_in_any_unit(
    unit: float,
) -> None:
    intervals = calibrate(noise(2000, 0, unit), season=1)

    for coverage in measure(intervals, by_a_later_fit(noise(2000, 1, unit))):
        assert abs(100 * coverage.share - coverage.level) < 3
        assert coverage.low < coverage.level / 100 < coverage.high


def test_scores_are_the_errors_over_their_windows_spread_as_large_as_those_of_a_later_fit() -> None:
    found = noise(300, 0)

    intervals = calibrate(found, season=1)

    spreads = intervals.spreads(found.windows.astype(np.float32))
    errors = np.sort(np.abs(found.forecasts - found.actual) / spreads, axis=0)
    assert LATER_FIT < 1
    scores = np.array(intervals.scores).T
    assert scores == pytest.approx(LATER_FIT * errors)


def test_a_level_beyond_the_calibration_windows_is_not_measured() -> None:
    intervals = calibrate(noise(15, 0), season=1)

    assert [coverage.level for coverage in measure(intervals, noise(50, 1))] == [80]
    assert intervals.highest_level == 93.75


@settings(deadline=None)
@given(st.integers(1, 50_000))
def test_kept_ranks_end_with_the_last_and_leave_no_wide_gap(count: int) -> None:
    ranks = kept_ranks(count)

    assert ranks[-1] == count
    assert len(ranks) == min(count, MAX_SCORES)
    assert np.diff(ranks, prepend=0).min() >= 1
    assert np.diff(ranks, prepend=0).max() <= max(1, math.ceil(count / 790))


@pytest.mark.parametrize(("count", "share"), [(20, 0.8), (100, 0.95), (1000, 0.5)])
def test_a_binomial_range_holds_95_of_100_draws(count: int, share: float) -> None:
    draws = np.random.default_rng(0).binomial(count, share, 20_000) / count

    low, high = binomial_range(count, share)

    assert np.mean((low <= draws) & (draws <= high)) >= 0.94
    assert np.mean((low < draws) & (draws < high)) <= 0.96


def test_windows_of_a_learned_shape_raise_few_false_alarms_at_any_level_and_a_new_shape_raises_one() -> None:
    trained, calibration, judged = (noise(2000, seed).windows for seed in range(3))

    shapes = learn_shapes(trained, calibration, judged)

    assert shapes.false_alarms is not None
    assert shapes.false_alarms <= 0.02
    spike = np.ones((1, 12), np.float32)
    spike[0, 3] = 1e6
    assert shapes.outside(spike).tolist() == [True]
    window = judged[:1].astype(np.float32)
    assert shapes.outside(window * 1024 + 4096).tolist() == shapes.outside(window).tolist()


def test_after_positive_series_a_window_with_a_negative_value_is_outside() -> None:
    windows = np.exp(noise(300, 0).windows.clip(-3, 3))

    shapes = learn_shapes(windows, windows, windows)

    assert shapes.outside(-windows[:1].astype(np.float32)).tolist() == [True]
