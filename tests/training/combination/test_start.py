import numpy as np
import pytest

from training.backtest.windows import Stretches, make_windows
from training.combination.linear import fit_linear
from training.combination.lookback import Lookback
from training.combination.program import front_of
from training.combination.samples import Samples
from training.combination.start import best_weights, find_start
from training.least_squares import least_squares

WINDOW = 5


def autoregression(count: int) -> np.ndarray:
    noise, values = np.random.default_rng(0).normal(size=count), np.zeros(count)
    for place in range(2, count):
        values[place] = 1.6 * values[place - 1] - 0.9 * values[place - 2] + noise[place]
    return values


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Of one series that reverts to zero, one step ahead."""
    windows = make_windows(Stretches.of([autoregression(200)]), WINDOW, [1], 1)
    front = front_of(Lookback(WINDOW, (1,), 1, log=False, reverts=True))
    return Samples.of(front, windows.values, windows.targets, windows.series)


def test_the_linear_candidate_of_a_single_series_is_least_squares_on_its_values(samples: Samples) -> None:
    windows = make_windows(Stretches.of([autoregression(200)]), WINDOW, [1], 1)
    coefficients, intercept = least_squares(windows.values, windows.targets)

    found = fit_linear(samples, samples.targets)

    forecasts = found.forecasts * samples.inputs["spread"] + samples.inputs["level"]
    expected = windows.values @ coefficients + intercept
    assert np.abs(forecasts - expected).mean() < 0.05  # of noise with a deviation of 1: ridge, and flat windows


def test_forecasts_of_rows_that_are_left_out_are_those_of_a_fit_without_them(samples: Samples) -> None:
    targets = samples.targets.copy()
    whole = fit_linear(samples, targets)
    targets[20] = np.nan

    assert whole.left_out[20] == pytest.approx(fit_linear(samples, targets).forecasts[20], abs=1e-3)


def test_a_method_that_errs_least_gets_nearly_all_the_weight_and_equal_ones_get_equal_weights() -> None:
    assert best_weights(np.diag([1.0, 400.0, 400.0]))[0] > 0.95
    assert best_weights(np.diag([3.0, 3.0, 3.0])) == pytest.approx([1 / 3] * 3)


def test_training_starts_from_the_linear_candidate_alone_where_a_straight_line_is_enough(samples: Samples) -> None:
    weights = np.exp(find_start(samples, samples.targets).logits)

    assert weights[-1] > 0.99
    assert weights.sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("rows", "seen"), [(8, 3), (19, 4), (20, 5), (150, 5)])
def test_the_linear_candidate_of_a_single_series_sees_a_value_for_every_four_windows_the_last_ones(
    samples: Samples, rows: int, seen: int
) -> None:
    known = np.where(np.arange(len(samples.targets))[:, None] < rows, samples.targets, np.nan)

    near, far = np.split(fit_linear(samples, known).kernel[: 2 * WINDOW], 2)

    for kernel in (near, far):  # the newest value is the level itself, from which the others are measured
        assert np.flatnonzero(kernel).tolist() == list(range(WINDOW - seen, WINDOW - 1))


def test_with_few_windows_a_line_is_not_enough_where_other_methods_err_less(samples: Samples) -> None:
    known = np.where(np.arange(len(samples.targets))[:, None] < 8, samples.targets, np.nan)

    assert np.exp(find_start(samples, known).logits)[-1] < 0.99
