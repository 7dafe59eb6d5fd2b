from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from artifact import KERAS_FILE, LITERT_FILE, Batch
from service.inference.keras_archive import check_archive
from training.combination.prepare import prepare
from training.combination.run import train_all
from training.config import TrainConfig
from training.console import show_nothing
from training.data.errors import SeriesError
from training.export import predict_keras, predict_litert
from training.train import Trained
from training.values import Values

STEPS = 3


def monthly(count: int, unit: float = 1.0, offset: float = 0.0) -> Values:
    """A series with a trend, a season of 4 and some noise."""
    place = np.arange(count)
    noise = np.random.default_rng(0).normal(size=count)
    series: Values = unit * (50 + 0.2 * place + 8 * np.sin(place * np.pi / 2) + noise) + offset
    return series


def write(path: Path, *series: Values) -> Path:
    rows = [f"s{number},{value!r}" for number, values in enumerate(series) for value in values.tolist()]
    path.write_text("\n".join(["unique_id,y", *rows]))
    return path


def trained(path: Path, *networks: str, **options: object) -> list[Trained]:
    config = TrainConfig.model_validate(
        {"data": path, "networks": networks, "steps": STEPS, "season": 4, "epochs": 20, "units": 4} | options
    )
    return train_all(config, prepare(config), show_nothing)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float, float], Trained]:
    """An MLP that is trained on the series in a unit and at an offset, once for each."""
    folder = tmp_path_factory.mktemp("series")

    @cache
    def of(unit: float, offset: float) -> Trained:
        return trained(write(folder / f"{unit}-{offset}.csv", monthly(160, unit, offset)), "mlp")[0]

    return of


def windows_of(model: Trained) -> Batch:
    return np.array([sample.window for sample in model.draft.golden], np.float32)


def test_a_model_forecasts_all_steps_with_intervals_from_layers_that_the_service_allows(
    run: Callable[[float, float], Trained],
) -> None:
    model = run(1.0, 0.0)
    card = model.draft

    check_archive(model.files[KERAS_FILE], "model.keras")
    assert (card.window, card.steps, card.output.shape, card.input.shape) == (16, STEPS, [None, STEPS], [None, 16])
    assert not {"persistence", "seasonal_naive"} & set(card.evaluation.loses_to)
    assert len(card.evaluation.steps) == STEPS
    assert card.evaluation.seasonal_naive is not None
    assert card.intervals is not None
    assert [coverage.level for coverage in card.intervals.coverage] == [80, 95]
    assert card.shapes is not None
    assert card.config["recipe"] == "combination"
    assert card.config["units"] == 4
    assert card.data.season == 4  # the one that the run was given, where the table has no dates
    assert card.fitted_on == "all rows"


def test_both_files_agree_and_the_forecast_follows_a_level_that_was_never_seen(
    run: Callable[[float, float], Trained],
) -> None:
    model = run(1.0, 0.0)
    windows = windows_of(model)

    known = predict_litert(model.files[LITERT_FILE], windows)

    assert predict_keras(model.files[KERAS_FILE], windows) == pytest.approx(known, rel=1e-4)
    # Near the levels that it was trained on, least squares of a single series reverts towards their mean.
    assert predict_litert(model.files[LITERT_FILE], windows * 100) == pytest.approx(known * 100, rel=0.02)
    far = predict_litert(model.files[LITERT_FILE], windows * 1e4)
    assert far == pytest.approx(predict_litert(model.files[LITERT_FILE], windows * 100) * 100, rel=1e-3)
    shifted = predict_litert(model.files[LITERT_FILE], windows + 10_000)
    assert shifted == pytest.approx(known + 10_000, rel=0.003)


@pytest.mark.parametrize(("unit", "offset"), [(1e-12, 0.0), (1e13, 0.0)])
def test_the_unit_of_a_series_changes_nothing_but_the_unit_of_its_forecasts(
    run: Callable[[float, float], Trained], unit: float, offset: float
) -> None:
    plain, other = run(1.0, 0.0), run(unit, offset)

    assert other.draft.evaluation.model.mase == pytest.approx(plain.draft.evaluation.model.mase, rel=0.01)
    assert other.draft.evaluation.model.r2 == pytest.approx(plain.draft.evaluation.model.r2, rel=0.01)
    forecasts = predict_litert(other.files[LITERT_FILE], windows_of(other))
    assert forecasts / unit == pytest.approx(predict_litert(plain.files[LITERT_FILE], windows_of(plain)), rel=0.01)


def test_an_offset_of_a_series_without_logarithms_changes_nothing_but_the_offset_of_its_forecasts(
    run: Callable[[float, float], Trained],
) -> None:
    near, far = run(1024.0, -65536.0), run(1024.0, 1e9)

    assert far.draft.evaluation.model.mase == pytest.approx(near.draft.evaluation.model.mase, rel=0.02)
    forecasts = predict_litert(far.files[LITERT_FILE], windows_of(far)).astype(np.float64)
    expected = predict_litert(near.files[LITERT_FILE], windows_of(near)) + 65536.0 + 1e9
    assert forecasts == pytest.approx(expected, abs=600)


def test_windows_of_zeros_and_of_one_value_get_finite_forecasts(run: Callable[[float, float], Trained]) -> None:
    windows = np.array([[0.0] * 16, [7.0] * 16, [0.0] * 15 + [1.0], [-5.0] * 16], np.float32)

    for model in (run(1.0, 0.0), run(1024.0, -65536.0)):
        forecasts = predict_litert(model.files[LITERT_FILE], windows)
        assert np.isfinite(forecasts).all()
        assert forecasts[1] == pytest.approx(7, rel=0.01)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "series.csv", monthly(120))

    first, again, other = (trained(path, "mlp", seed=seed)[0] for seed in (1, 1, 2))

    assert first.files[LITERT_FILE] == again.files[LITERT_FILE]
    assert first.files[LITERT_FILE] != other.files[LITERT_FILE]


def test_series_of_all_sizes_are_pooled_and_judged_series_by_series(tmp_path: Path) -> None:
    sizes = [1e-3, 1.0, 1e3, 1e6]
    path = write(tmp_path / "series.csv", *(monthly(60 + 10 * place, size) for place, size in enumerate(sizes)))

    model, linear = trained(path, "lstm", "linear")

    for found in (model, linear):
        assert found.draft.evaluation.series == 4
        assert found.draft.evaluation.deviation is not None
        assert found.draft.evaluation.model.mase is not None
        assert found.draft.evaluation.model.mase < 1
    assert model.held_out.metric == "MASE"


def test_too_few_rows_are_refused_with_what_would_help(tmp_path: Path) -> None:
    config = TrainConfig(data=write(tmp_path / "series.csv", monthly(30)), steps=12, season=4)

    with pytest.raises(SeriesError, match=r"series\.csv: column 'y': .* give more rows or a smaller --window"):
        prepare(config)
