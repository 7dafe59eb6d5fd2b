"""Sums of errors on actual values equal those of a plain loop, for any horizon, season and number of unknown values."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import ModelCard, verify
from service.inference.errors import PredictionOverflow
from service.inference.score import baselines_of, levels_of, naive_error, no_scores, score
from service.inference.tally import Errors, Scores, Tally


@pytest.fixture(scope="module")
def card(airline_models: Path) -> ModelCard:
    return verify(airline_models, "airline", 1).card


def with_data(card: ModelCard, **changes: object) -> ModelCard:
    return card.model_copy(update={"data": card.data.model_copy(update=changes)})


def loop(card: ModelCard, windows: np.ndarray, actuals: np.ndarray, name: str) -> Errors:
    """The sums by a plain loop; the seasonal naive value is found by going back season by season."""
    absolute = squared = 0.0
    for window, row in zip(windows, actuals, strict=True):
        for step, actual in enumerate(row):
            place = len(window) - 1 + card.horizon + step
            while place >= len(window):
                place -= card.data.season
            forecast = window[-1] if name == "persistence" else window[place]
            if not np.isnan(actual):
                absolute += abs(float(forecast) - actual)
                squared += (float(forecast) - actual) ** 2
    return Errors(absolute, squared)


@settings(max_examples=40, deadline=None)
@given(
    season=st.integers(2, 24),
    horizon=st.integers(1, 30),
    steps=st.integers(1, 12),
    seed=st.integers(0, 1000),
    share=st.floats(0, 1),
)
def test_the_baselines_are_those_of_a_plain_loop(
    card: ModelCard, season: int, horizon: int, steps: int, seed: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    windows = random.normal(size=(3, 24)).astype(np.float32)
    actuals = random.normal(size=(3, steps))
    actuals[random.random((3, steps)) < share] = np.nan
    changed = with_data(card, read={"season": season}).model_copy(update={"horizon": horizon})

    found = score(changed, windows, random.normal(size=(3, 12)).astype(np.float32), actuals)

    assert found.actuals == int((~np.isnan(actuals)).sum())
    assert set(found.errors) == {"model", "persistence", "seasonal_naive"}
    for name in ("persistence", "seasonal_naive"):
        assert found.errors[name] == pytest.approx(loop(changed, windows, actuals, name))


def test_a_window_shorter_than_a_season_or_of_another_series_has_no_such_baseline(card: ModelCard) -> None:
    assert baselines_of(with_data(card, read={"season": 25})) == ["persistence"]
    assert baselines_of(with_data(card, read=None)) == ["persistence"]
    assert baselines_of(with_data(card, target="other")) == []
    assert baselines_of(card.model_copy(update={"horizon": 0})) == []


def test_levels_that_cannot_be_had_are_left_out(card: ModelCard) -> None:
    assert card.intervals is not None
    few = card.intervals.model_copy(
        update={"calibration_windows": 4, "ranks": [1, 2, 3, 4], "scores": [row[:4] for row in card.intervals.scores]}
    )

    assert levels_of(card) == [80, 95]
    assert levels_of(card.model_copy(update={"intervals": few})) == [80]
    assert levels_of(card.model_copy(update={"intervals": None})) == []


def test_an_actual_value_on_the_bound_is_inside(card: ModelCard) -> None:
    assert card.intervals is not None
    windows = np.array([sample.window for sample in card.golden], np.float32)
    forecasts = np.array([sample.forecast for sample in card.golden], np.float32)
    lower, upper = card.intervals.bounds(card.intervals.ends([80]), windows, forecasts)
    outside = np.nextafter(upper[0], np.float32(np.inf)).astype(np.float64)

    assert score(card, windows, forecasts, lower[0].astype(np.float64)).covered[80] == lower[0].size
    assert score(card, windows, forecasts, upper[0].astype(np.float64)).covered[80] == upper[0].size
    assert score(card, windows, forecasts, outside).covered[80] == 0


def test_what_is_beyond_float32_is_refused_by_its_row(card: ModelCard) -> None:
    windows = np.ones((2, 24), np.float32)
    forecasts = np.ones((2, 12), np.float32)
    forecasts[1, 3] = np.inf
    wide = np.ones((2, 24), np.float32)
    wide[1] = np.tile(np.array([3e38, -3e38], np.float32), 12)

    for bad in ((windows, forecasts), (wide, np.ones((2, 12), np.float32))):
        with pytest.raises(PredictionOverflow) as refused:
            score(card, *bad, np.ones((2, 12)))
        assert refused.value.row == 1


def test_the_naive_error_is_the_cards_and_several_series_have_none(card: ModelCard) -> None:
    found = naive_error(card)

    assert found is not None
    assert card.evaluation.model.mase == pytest.approx(card.evaluation.model.mae / found)
    assert naive_error(with_data(card, read={"series": 7})) is None


def test_scores_are_added_up_in_a_tally(card: ModelCard) -> None:
    tally, one = Tally(), Scores(2, {"model": Errors(3, 5)}, {80: 1})

    tally.add_scores(one)
    tally.add_scores(one)

    assert no_scores(card) + tally.scores == Scores(
        4, {"model": Errors(6, 10), "persistence": Errors(), "seasonal_naive": Errors()}, {80: 2, 95: 0}
    )
