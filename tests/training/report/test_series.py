import math
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from training.config import TrainConfig
from training.data.errors import SeriesError
from training.parser import parse
from training.report.advice import advise, beats, p_value, tail
from training.report.config import Budget, ReportConfig
from training.report.names import TRAINED_WITH
from training.report.public_series import shampoo_runs, sunspot_runs
from training.report.rolling import RollingResults, RollingRun, Source, origins, rolling_runs
from training.report.series_findings import shampoo_section, sunspots_section

BUDGET = Budget(steps=300)


def written(path: Path, values: np.ndarray) -> Source:
    path.write_text("\n".join(["x", *map(str, values)]))
    source = Source(str(path), "x", None, 1, 5)
    return replace(source, sha256=source.rows().sha256())


def rolled(source: Source) -> RollingResults:
    runs = rolling_runs(source, origins(len(source.rows().targets)), range(2), BUDGET)
    return RollingResults(runs, [run.run() for run in runs])


def random_walk() -> np.ndarray:
    return np.random.default_rng(0).normal(size=200).cumsum()


def white_noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=200)


def autoregressive() -> np.ndarray:
    noise, values = np.random.default_rng(0).normal(size=300), np.zeros(300)
    for t in range(2, 300):
        values[t] = 1.6 * values[t - 1] - 0.9 * values[t - 2] + noise[t]
    return values[100:]


ADVICE = {
    "random walk": (random_walk(), "Persistence is not beaten by any model; do not deploy a model. RMSE "),
    "white noise": (white_noise(), "The mean is not beaten by any model; do not deploy a model. RMSE "),
    "autoregressive": (
        autoregressive(),
        "Linear least squares is enough: no costlier model beats it; deploy it, or the LSTM by the combination ",
    ),
}


@pytest.mark.parametrize(("values", "sentence"), ADVICE.values(), ids=ADVICE)
def test_the_advice_follows_from_the_series(values: np.ndarray, sentence: str, tmp_path: Path) -> None:
    assert advise(rolled(written(tmp_path / "own.csv", values))).startswith(sentence)


def of_errors(errors: dict[str, np.ndarray]) -> RollingResults:
    run = RollingRun(Source("", "", None, 1, 5), 0, 0, 0, BUDGET)
    count = len(errors["lstm"])
    return RollingResults(
        [run], [{"predictions": {k: v.tolist() for k, v in errors.items()}, "targets": [0.0] * count, "seconds": {}}]
    )


@pytest.mark.parametrize(
    ("best", "sentence"),
    [
        ("persistence", "Persistence is not beaten by any model; do not deploy a model"),
        ("mean", "The mean is not beaten by any model; do not deploy a model"),
        ("mlp_last", "MLP on the last value is enough: no costlier model beats it; deploy it"),
        ("tanh_mlp", "MLP with tanh on the window is enough: no costlier model beats it; deploy it, not the LSTM"),
        ("lstm", "LSTM on the window is the best model; deploy it"),
        ("combination", "LSTM by the combination recipe is the best model; deploy it"),
    ],
)
def test_the_contender_with_by_far_the_smallest_errors_is_advised(best: str, sentence: str) -> None:
    noise = np.random.default_rng(0).normal(size=(8, 80))
    names = ("persistence", "mean", "linear", "mlp_last", "mlp", "tanh_mlp", "lstm", "combination")

    found = of_errors({name: noise[k] * (0.1 if name == best else 1) for k, name in enumerate(names)})

    advice = advise(found)
    assert advice.startswith(f"{sentence}. RMSE ")
    assert advice.endswith(f"Train it with {TRAINED_WITH[best]}." if best in TRAINED_WITH else ".")


def test_a_network_with_a_larger_error_is_not_advised_against_where_the_rows_are_too_few_to_tell() -> None:
    noise = np.random.default_rng(0).normal(size=(8, 12))
    names = ("persistence", "mean", "mlp_last", "tanh_mlp", "lstm", "mlp")
    far = {name: noise[k] * 9 for k, name in enumerate(names)}

    advice = advise(of_errors({**far, "linear": noise[6], "combination": noise[6] + noise[7] / 2}))

    assert "deploy it, though the LSTM by the combination recipe is not significantly worse. RMSE " in advice


@pytest.mark.parametrize("flags", TRAINED_WITH.values())
def test_the_advice_names_flags_that_training_takes(flags: str) -> None:
    config = parse(TrainConfig, ["--data", "own.csv", *flags.split()])

    assert config.networks == (flags.rsplit(maxsplit=1)[-1],)


def test_at_the_edge_of_chance_a_network_is_not_advised_over_least_squares_with_the_same_errors() -> None:
    noise, other = np.random.default_rng(0).normal(size=(2, 80))

    def at(factor: float) -> RollingResults:
        better = {"linear": other * factor, "mlp": other * (factor - 1e-4)}
        return of_errors(
            {**dict.fromkeys(("lstm", "tanh_mlp", "mlp_last", "mean"), noise * 9), "persistence": noise, **better}
        )

    low, high = 0.2, 2.0  # with the first factor least squares beats persistence, with the second it does not
    while high - low > 5e-5:
        middle = (low + high) / 2
        low, high = (middle, high) if beats(at(middle), "linear", "persistence") else (low, middle)
    edge = at(high)

    assert beats(edge, "mlp", "persistence")
    assert not beats(edge, "linear", "persistence")
    assert advise(edge).startswith("Linear least squares is enough: no costlier model beats it")


def test_a_gain_that_is_certain_but_tiny_beats_nobody() -> None:
    errors = np.random.default_rng(0).normal(size=80)

    found = of_errors({"persistence": errors, "linear": errors * 0.999, "lstm": errors * 0.9})

    assert not beats(found, "linear", "persistence")
    assert beats(found, "lstm", "persistence")


def test_a_gain_by_chance_is_found_about_as_often_as_its_level_says() -> None:
    random = np.random.default_rng(0)

    found = [p_value(random.normal(size=40), horizon=1) < 0.05 for _ in range(2000)]

    assert np.mean(found) == pytest.approx(0.05, abs=0.015)
    assert p_value(np.full(40, 1.0), horizon=1) == 0
    assert p_value(np.zeros(40), horizon=1) == 1


@pytest.mark.parametrize("t", [-3.0, 0.0, 0.5, 2.0])
def test_the_tail_is_that_of_students_distribution_where_it_has_a_closed_form(t: float) -> None:
    assert tail(t, 1) == pytest.approx(0.5 - math.atan(t) / math.pi, abs=1e-6)
    assert tail(t, 2) == pytest.approx(0.5 - t / (2 * math.sqrt(2 + t**2)), abs=1e-6)
    assert tail(t, 100_000) == pytest.approx(1 - NormalDist().cdf(t), abs=1e-5)


def test_origins_cut_the_last_two_fifths_into_blocks_that_follow_each_other() -> None:
    assert origins(100) == [60, 68, 76, 84, 92, 100]
    runs = rolling_runs(Source("", "", None, 1, 5), origins(20), range(3), BUDGET)
    assert len(runs) == 15
    assert all(run.cut < run.end for run in runs)


@pytest.mark.parametrize("horizon", [1, 4])
def test_at_an_origin_only_targets_that_are_known_by_then_are_fitted_on(horizon: int, tmp_path: Path) -> None:
    values = random_walk()[:80]
    source = replace(written(tmp_path / "own.csv", values), horizon=horizon, sha256="")
    later = replace(
        written(tmp_path / "later.csv", np.where(np.arange(80) <= 44, values, 999)), horizon=horizon, sha256=""
    )

    # Row 40's window ends with value 44: later values must not change the prediction for that row.
    first, other = (RollingRun(one, 40, 41, 0, BUDGET).run()["predictions"] for one in (source, later))

    assert first == other


def test_a_file_that_changes_while_the_report_runs_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path / "own.csv", random_walk())
    (tmp_path / "own.csv").write_text("x\n" + "1\n2\n4\n" * 70)

    with pytest.raises(SeriesError, match=r"own\.csv: has changed since the report began"):
        source.rows()


QUICK = ReportConfig(quick=True, seeds=1, steps=50)


def test_without_the_packages_that_bring_them_the_known_results_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.report.public_series.find_spec", lambda _: None)

    assert shampoo_runs(QUICK) == sunspot_runs(QUICK) == []
    assert "sktime, which has the data, is not installed" in shampoo_section([], []).lead
    assert "statsmodels, which has the data" in sunspots_section([], []).lead
