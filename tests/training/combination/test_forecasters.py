import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.combination.forecasters import forecasters, seasonal_profile
from training.combination.window import default_window


def ahead(steps: int) -> np.ndarray:
    return np.arange(1.0, steps + 1)


@settings(deadline=None)
@given(window=st.integers(3, 40), steps=st.integers(1, 30), season=st.integers(1, 13))
def test_a_constant_added_to_the_window_is_added_to_every_forecast_and_to_no_error(
    window: int, steps: int, season: int
) -> None:
    ones = np.ones(window)

    for one in forecasters(window, ahead(steps), season):
        assert ones @ one.forecast == pytest.approx(1, abs=1e-9)
        assert ones @ one.errors == pytest.approx(0, abs=1e-9)


def test_some_method_continues_a_straight_line_and_some_method_repeats_a_season() -> None:
    line = np.arange(24.0)
    season = np.tile([1.0, 5.0, 2.0, 9.0], 6)

    found = forecasters(24, ahead(6), 4)

    assert min(np.abs(line @ one.forecast - np.arange(24, 30)).max() for one in found) < 1e-6
    assert min(np.abs(season @ one.forecast - np.tile([1.0, 5.0, 2.0, 9.0], 2)[:6]).max() for one in found) < 1e-6


def test_simple_smoothing_gives_the_level_and_the_errors_of_the_textbook() -> None:
    window = np.array([3.0, 8.0, 4.0, 6.0, 5.0])
    level, errors = 3.0, []
    for value in window[1:]:
        errors.append(value - level)
        level += 0.3 * errors[-1]

    simple = forecasters(5, ahead(2), 1)[2]  # smoothing 0.3 without a trend

    assert window @ simple.forecast == pytest.approx([level, level])
    assert window @ simple.errors == pytest.approx(errors)


@pytest.mark.parametrize("season", [4, 5, 12])
def test_the_seasonal_profile_is_that_of_a_series_with_a_trend_and_a_season(season: int) -> None:
    pattern = np.random.default_rng(0).normal(size=season)
    pattern -= pattern.mean()
    window = 3 * season
    series = 2.0 * np.arange(window + season) + pattern[np.arange(window + season) % season]

    inside, beyond = seasonal_profile(window, ahead(season), season, 2)

    assert series[:window] @ inside == pytest.approx(pattern[np.arange(window) % season], abs=1e-9)
    assert series[:window] @ beyond == pytest.approx(pattern[np.arange(window, window + season) % season], abs=1e-9)


@pytest.mark.parametrize(
    ("season", "length", "window"),
    [
        *[(12, 200, 48), (4, 200, 16), (7, 200, 28), (1, 200, 8), (24, 1000, 96), (52, 1000, 156), (96, 1000, 192)],
        *[(12, 60, 24), (12, 30, 8), (168, 5000, 8), (1, 9, 4), (4, 30, 12)],
    ],
    ids=str,
)
def test_the_default_window_is_four_seasons_as_far_as_the_series_allow(season: int, length: int, window: int) -> None:
    assert default_window(season, length, single=False) == window


@pytest.mark.parametrize(
    ("season", "length", "window"),
    [(1, 150, 12), (1, 149, 8), (1, 24, 6), (12, 30, 7), (1, 9, 3), (4, 30, 12)],
    ids=str,
)
def test_the_default_window_of_a_single_series_without_a_season_grows_and_is_at_most_a_quarter_of_it(
    season: int, length: int, window: int
) -> None:
    assert default_window(season, length, single=True) == window
