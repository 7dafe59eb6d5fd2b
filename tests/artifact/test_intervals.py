"""Prediction intervals: ranks and bounds against the definition of split conformal prediction, and invariants."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from artifact import BoundOverflow, Intervals, UnreachableLevel

LEVELS = st.lists(st.floats(0.01, 99.99), min_size=1, max_size=5)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def intervals(scores: list[list[float]], **changes: object) -> Intervals:
    n = len(scores[0])
    card = {
        "calibration_windows": n,
        "spread": "deviation",
        "least_spread": 1e-3,
        "ranks": list(range(1, n + 1)),
        "scores": [sorted(row) for row in scores],
    }
    return Intervals.model_validate(card | changes)


@pytest.mark.parametrize(("n", "level"), [(4, 80), (9, 90), (19, 95), (99, 99)])
def test_a_level_can_be_had_from_the_least_number_of_windows_on(n: int, level: int) -> None:
    enough = intervals([[float(i) for i in range(1, n + 1)]])
    assert enough.quantiles([level])[0][0] == n

    with pytest.raises(UnreachableLevel, match=f"level of {level} is out of reach; the highest") as error:
        intervals([[float(i) for i in range(1, n)]]).quantiles([50, level])
    assert level - 10 < error.value.highest < level


@given(st.integers(1, 400), st.data())
def test_the_highest_level_that_is_told_can_be_had(n: int, data: st.DataObject) -> None:
    scores = intervals([[float(i) for i in range(n)]])

    assert scores.quantiles([scores.highest_level])[0][0] == n - 1
    with pytest.raises(UnreachableLevel):
        scores.quantiles([scores.highest_level + 0.02])


def test_the_interval_of_a_level_holds_its_share_of_new_windows() -> None:
    random = np.random.default_rng(0)
    scores = np.sort(np.abs(random.normal(size=999)))
    found = intervals([scores.tolist()], spread="one")

    for level in (50, 80, 95):
        inside = np.abs(random.normal(size=20_000)) <= found.quantiles([level])[0][0]
        assert inside.mean() == pytest.approx(level / 100, abs=0.04)


def test_thinned_scores_give_the_next_higher_one() -> None:
    thinned = intervals([[1.0, 5.0, 10.0]], calibration_windows=19, ranks=[1, 10, 19])

    assert thinned.quantiles([1, 5, 6, 50, 51, 95]) == [[1], [1], [5], [5], [10], [10]]


@given(
    windows=st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=4),
    scores=st.lists(st.lists(st.floats(0, 1e6), min_size=25, max_size=25), min_size=2, max_size=2),
    levels=LEVELS.map(sorted),
    spread=st.sampled_from(["one", "deviation", "differences", "recent"]),
)
def test_bounds_hold_the_forecast_and_widen_with_the_level(
    windows: list[list[float]], scores: list[list[float]], levels: list[float], spread: str
) -> None:
    found = intervals(scores, spread=spread)
    levels = [level for level in levels if level <= found.highest_level] or [50]
    batch = np.array(windows, np.float32)
    values = batch[:, :2] * np.float32(0.9)

    try:
        lower, upper = found.bounds(found.ends(levels), batch, values)
    except BoundOverflow as error:
        assert np.abs(batch[error.row]).max() > 1e30  # noqa: PT017 - the rest is the case without an error
        return

    assert lower.shape == upper.shape == (len(levels), len(windows), 2)
    assert lower.dtype == upper.dtype == np.float32
    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    assert (lower <= values).all()
    assert (values <= upper).all()
    assert (lower[1:] <= lower[:-1]).all()
    assert (upper[1:] >= upper[:-1]).all()


@given(st.lists(NUMBERS, min_size=2, max_size=30))
def test_the_deviation_is_that_of_numpy(window: list[float]) -> None:
    batch = np.array([window, window], np.float32)
    expected = max(float(np.std(batch[0].astype(np.float64))), 1e-3)
    found = intervals([[1.0]])

    assert found.spreads(batch[:1]) == pytest.approx(expected)
    assert np.ravel(found.spreads(batch)) == pytest.approx([expected] * 2)


@given(
    windows=st.integers(2, 30).flatmap(
        lambda window: st.lists(st.lists(NUMBERS, min_size=window, max_size=window), min_size=2, max_size=4)
    ),
    season=st.sampled_from([1, 4, 7, 12]),
    spread=st.sampled_from(["one", "deviation", "differences", "recent"]),
)
def test_the_spread_of_one_row_is_the_one_that_it_has_among_others(
    windows: list[list[float]], season: int, spread: str
) -> None:
    batch = np.array(windows, np.float32)
    found = intervals([[1.0]], spread=spread, season=season)

    assert np.ravel(found.spreads(batch)).tolist() == [found.spreads(batch[[row]]) for row in range(len(batch))]


@pytest.mark.parametrize("spread", ["one", "deviation", "differences", "recent"])
@pytest.mark.parametrize("rows", [2, 7, 16, 33])
def test_bounds_of_rows_together_have_the_bits_that_each_has_alone(spread: str, rows: int) -> None:
    random = np.random.default_rng(rows)
    found = intervals([[float(i) for i in range(1, 31)]] * 5, spread=spread, season=12)
    ends = found.ends([95, 80])
    for window in (2, 5, 12, 13, 24, 48, 60, 129, 300):
        batch = (random.normal(size=(rows, window)) * 10.0 ** random.uniform(-4, 4, (rows, 1))).astype(np.float32)
        values = random.normal(size=(rows, 5)).astype(np.float32)
        windows, forecasts = np.split(batch, rows), np.split(values, rows)

        alone = [found.bounds(ends, *row) for row in zip(windows, forecasts, strict=True)]

        together = found.bounds(ends, batch, values)
        assert [row.tobytes() for row in np.split(together, rows, axis=2)] == [row.tobytes() for row in alone]
        assert [row.tobytes() for row in found.bounds_each(ends, windows, forecasts)] == [
            row.tobytes() for row in alone
        ]


def test_a_recent_spread_is_that_of_the_last_season_where_the_ones_before_were_rougher() -> None:
    window = np.array([[0, 4, 0, 4, 0, 4, 0, 2, 0, 2, 0, 2]], np.float32)

    assert intervals([[1.0]], spread="recent").spreads(window) == pytest.approx(2)
    assert intervals([[1.0]], spread="recent", season=4).spreads(window) == pytest.approx(0.5)
    assert intervals([[1.0]], spread="differences").spreads(window) == pytest.approx(34 / 11)


def test_a_recent_spread_is_not_zero_because_the_last_values_are_equal() -> None:
    window = [5.0, 7, 5, 7, 7, 7, 7, 7]

    assert intervals([[1.0]], spread="recent").spreads(np.array([window], np.float32)) == pytest.approx(6 / 7 / 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranks": [2, 1]}, "not ascending"),
        ({"ranks": [1]}, "the last rank"),
        ({"ranks": [1, 3]}, "not ascending"),
        ({"scores": [[2.0, 1.0]]}, "scores of a step"),
        ({"scores": [[1.0]]}, "scores of a step"),
        ({"scores": [[-1.0, 1.0]]}, "greater than or equal"),
        ({"spread": "range"}, "Input should be"),
    ],
)
def test_scores_that_make_no_intervals_are_refused(changes: dict[str, object], message: str) -> None:
    good = intervals([[1.0, 2.0]]).model_dump()

    with pytest.raises(ValidationError, match=message):
        Intervals.model_validate(good | changes)


def test_they_are_the_same_after_a_card_was_written_and_read() -> None:
    found = intervals([[0.1, 0.2, 0.3]])
    found.ends([50])

    assert Intervals.model_validate(json.loads(found.model_dump_json())) == found
