import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.least_squares import least_squares


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    offset=st.sampled_from([0.0, -1e6, 1e12]),
    unit=st.sampled_from([1e-12, 1.0, 1e9]),
)
def test_an_exact_linear_relation_is_found_at_any_offset_and_unit(seed: int, offset: float, unit: float) -> None:
    random = np.random.default_rng(seed)
    columns = random.normal(size=(40, 3))
    targets = columns @ [1.0, -2.0, 0.5] + 3

    coefficients, intercept = least_squares(columns * unit + offset * unit, targets)

    np.testing.assert_allclose(coefficients * unit, [1.0, -2.0, 0.5], rtol=2e-3)
    np.testing.assert_allclose((columns * unit + offset * unit) @ coefficients + intercept, targets, atol=5e-3)


def test_constant_columns_predict_the_mean() -> None:
    coefficients, intercept = least_squares(np.full((10, 2), 7.0), np.arange(10.0))

    assert coefficients.tolist() == [0, 0]
    assert intercept == pytest.approx(4.5)


def test_directions_below_the_cutoff_get_no_weight() -> None:
    column = np.arange(20.0)
    columns = np.stack([column, column + 1e-9 * np.sin(column)], axis=1)

    coefficients, _ = least_squares(columns, column * 2, cutoff=1e-6)

    np.testing.assert_allclose(coefficients, [1, 1], rtol=1e-6)
