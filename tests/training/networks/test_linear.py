"""The linear network equals least squares, for any unit and any offset of the series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import LITERT_FILE
from training.config import TrainConfig
from training.data.rows import Rows, make_rows
from training.data.series import load_rows
from training.evaluate import predict_linear
from training.export import export, predict_litert
from training.fit import fit
from training.networks.registry import NETWORKS
from training.values import Values


def fitted(rows: Rows, recipe: str = "scaled") -> Values:
    model = fit(NETWORKS["linear"], TrainConfig(recipe=recipe), rows, lambda _model, _done, _loss: None)
    return np.asarray(model(rows.windows.astype(np.float32)), np.float64)[:, 0]


def autoregressive(seed: int, count: int = 150) -> Values:
    values, noise = np.zeros(count), np.random.default_rng(seed).normal(size=count)
    for t in range(2, count):
        values[t] = 1.2 * values[t - 1] - 0.5 * values[t - 2] + noise[t]
    return values


@given(
    seed=st.integers(0, 1000),
    offset=st.floats(-1e6, 1e6),
    unit=st.sampled_from([1e-12, 1e-3, 1.0, 1e6, 1e15]),
    window=st.integers(1, 12),
)
@settings(max_examples=10, deadline=None)
def test_it_is_least_squares_at_any_offset_and_unit(seed: int, offset: float, unit: float, window: int) -> None:
    series = (autoregressive(seed) + offset) * unit
    rounded = series.astype(np.float32).astype(np.float64)  # models take float32
    rows = make_rows(rounded, rounded, window, horizon=1)

    apart = np.abs(fitted(rows) - predict_linear(rows, rows.windows)).max()

    # One float32 step of the values, and rounding errors relative to their standard deviation.
    assert apart <= 1.5 * np.spacing(np.float32(np.abs(rounded).max())) + 2e-5 * rounded.std()


@pytest.mark.parametrize("recipe", ["scaled", "article"])
def test_it_continues_a_straight_line_whose_columns_are_all_the_same_but_for_a_constant(recipe: str) -> None:
    rows = load_rows(TrainConfig())

    np.testing.assert_allclose(fitted(rows, recipe), rows.targets, atol=1e-4)


@pytest.mark.parametrize(
    "series",
    [
        np.sin(np.arange(400) / 30) * 1e5 + 3e6,
        np.arange(400.0) ** 3,
        1e6 + 0.1 * np.arange(400),
        np.where(np.arange(400) % 12 == 0, 1e9, 1e6),
        np.full(400, 3e7),
    ],
    ids=["sine far from zero", "cubic", "line below float32's step", "spikes", "constant"],
)
def test_it_is_exported_and_close_on_series_that_make_least_squares_badly_conditioned(series: Values) -> None:
    rows = make_rows(series, series, 12, horizon=1)
    windows = rows.windows.astype(np.float32)

    model = fit(NETWORKS["linear"], TrainConfig(), rows, lambda _model, _done, _loss: None)
    files = export(model, windows).files  # raises an error if the files do not agree

    errors = predict_litert(files[LITERT_FILE], windows)[:, 0] - rows.targets
    expected = predict_linear(rows, rows.windows) - rows.targets
    assert np.abs(errors).max() <= np.abs(expected).max() + 1e-6 * np.abs(series).max()
