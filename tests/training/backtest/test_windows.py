from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.backtest.scale import naive_scales
from training.backtest.spans import Spans, plan
from training.backtest.windows import Stretches, make_windows

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=5).filter(lambda lengths: max(lengths) > 12)


def series_of(lengths: list[int]) -> list[np.ndarray]:
    """Values that tell where they are: 1000 times the series' number plus the place."""
    return [1000.0 * number + np.arange(length) for number, length in enumerate(lengths)]


@settings(deadline=None)
@given(lengths=LENGTHS, window=st.integers(1, 6), horizon=st.integers(1, 3), steps=st.integers(1, 4))
def test_windows_are_followed_by_their_targets_and_reach_into_no_other_series(
    lengths: list[int], window: int, horizon: int, steps: int
) -> None:
    ahead = range(horizon, horizon + steps)

    found = make_windows(Stretches.of(series_of(lengths)), window, ahead, 1)

    for values, targets, series, after in zip(found.values, found.targets, found.series, found.after, strict=True):
        assert values.tolist() == list(values[-1] + np.arange(1 - window, 1))
        assert {value // 1000 for value in values} == {series}
        assert after == lengths[series] - 1 - values[-1] % 1000
        for step, target in zip(ahead, targets, strict=True):
            assert (np.isnan(target) and step > after) or target == values[-1] + step
    assert len(found.last) == sum(max(length - window - horizon + 1, 0) for length in lengths)


def test_a_window_does_not_reach_over_a_gap_and_what_comes_after_is_counted_over_it() -> None:
    stretches = Stretches(np.arange(10.0), np.array([0, 6]), np.array([0, 0]))

    found = make_windows(stretches, 3, [1], 1)

    assert found.values[:, -1].tolist() == [2, 3, 4, 8]
    assert found.after.tolist() == [7, 6, 5, 1]


@settings(deadline=None)
@given(
    lengths=LENGTHS,
    window=st.integers(1, 4),
    steps=st.integers(1, 3),
    spans=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
)
def test_what_is_fitted_validated_calibrated_and_judged_follow_each_other_and_share_no_target(
    lengths: list[int], window: int, steps: int, spans: tuple[int, int, int]
) -> None:
    found = make_windows(Stretches.of(series_of(lengths)), window, range(1, steps + 1), 1)
    split = Spans(*spans, found.reach)
    order = [
        found.known(split.before_validation),
        *(
            rows[:, None] & ~np.isnan(found.targets)
            for rows in (split.validation_rows(found), split.calibration_rows(found), split.judged_rows(found))
        ),
    ]

    for earlier, later in pairwise(order):
        for number in range(len(lengths)):
            of = found.series == number
            before, after = found.targets[earlier & of[:, None]], found.values[later.any(axis=1) & of, -1]
            if len(before) and len(after):
                assert before.max() <= after.min()  # known when the first later window ends


def test_a_plan_keeps_a_third_of_the_windows_to_fit_on_and_two_calibration_windows_for_each_judged_one() -> None:
    found = make_windows(Stretches.of([np.arange(300.0)]), 12, range(1, 13), 12)

    spans = plan(found, None)

    assert spans.calibration == 2 * spans.judged
    assert spans.judged > 15
    assert found.known(spans.before_validation).any(axis=1).mean() >= 1 / 3


def test_a_short_series_is_judged_without_a_calibration() -> None:
    found = make_windows(Stretches.of([np.arange(30.0)]), 6, range(1, 7), 1)

    spans = plan(found, None)

    assert (spans.judged, spans.calibration) == (1, 0)


def test_pooled_series_are_calibrated_on_windows_that_end_at_every_place_of_the_season() -> None:
    found = make_windows(Stretches.of([np.arange(150.0)] * 30), 24, range(1, 7), 12)

    spans = plan(found, 1)

    assert (spans.calibration, spans.validation) == (12, 0)  # 30 times 121 windows are many: none to stop by


def test_a_long_single_series_has_windows_to_stop_by_however_many_it_has() -> None:
    found = make_windows(Stretches.of([np.arange(3000.0)]), 24, [1], 12)

    assert plan(found, None).validation == 200


def test_many_short_series_have_intervals_before_anything_to_stop_by() -> None:
    found = make_windows(Stretches.of([np.arange(20.0)] * 100), 6, range(1, 5), 1)

    spans = plan(found, None)

    assert spans.judged == 1
    assert spans.calibration >= 2
    assert spans.calibration_rows(found).sum() >= 19


def test_the_seasonal_naive_forecast_is_the_value_some_whole_seasons_before() -> None:
    found = make_windows(Stretches.of([np.arange(20.0)]), 2, range(1, 7), 4)

    last = found.seasonal_naive(found.after == 6)

    assert last.tolist() == [[10, 11, 12, 13, 10, 11]]


def test_naive_scales_are_of_each_series_and_leave_the_last_values_out() -> None:
    series = [np.array([1.0, 3.0, 2.0, 100.0]), np.array([10.0, 10.0, 14.0, 0.0])]

    scales = naive_scales(make_windows(Stretches.of(series), 2, [1], 1), 1)

    assert scales.absolute.tolist() == pytest.approx([1.5, 2.0])
    assert scales.squared.tolist() == pytest.approx([np.sqrt(2.5), np.sqrt(8.0)])
