import numpy as np
import pytest

from training.data.rows import make_rows
from training.report.config import Budget, ReportConfig
from training.report.contenders import CONTENDER_NETWORKS, Split, fit_contenders
from training.report.span import HELD_OUT, NOISE, SERIES, TARGETS, TRAINED, SpanRun, draw, span_runs

BUDGET = Budget(steps=300)


@pytest.mark.parametrize("span", [1, 2, 7])
@pytest.mark.parametrize("series", SERIES)
def test_a_sum_is_made_of_the_last_k_values_and_a_product_of_the_newest_and_the_oldest(series: str, span: int) -> None:
    for target in ("sum", "product"):
        rows, floor = draw(series, target, span, seed=0)

        last = rows.windows[:, : -span - 1 : -1]
        raw = last @ (1 - np.arange(span) / span) if target == "sum" else last[:, 0] * last[:, -1]
        trained = raw[:TRAINED]
        np.testing.assert_allclose(rows.targets, (raw - trained.mean()) / trained.std(), atol=1e-9)
        assert floor == 0
        assert rows.windows.shape == (TRAINED + HELD_OUT, max(span, 5))


def test_noise_is_added_to_the_target_alone_and_its_size_on_the_held_out_rows_is_the_floor() -> None:
    clean, _ = draw("ar1", "sum", 3, seed=4)
    noisy, floor = draw("ar1", "noisy sum", 3, seed=4)

    noise = noisy.targets - clean.targets
    assert (noisy.windows == clean.windows).all()
    assert noise.std() == pytest.approx(NOISE, rel=0.1)
    assert np.sqrt(np.mean(noise[TRAINED:] ** 2)) == pytest.approx(floor)
    assert noisy.persistence[1:].tolist() == noisy.targets[:-1].tolist()


def test_a_seed_draws_a_series_of_its_own_and_ar1_is_what_it_is_called() -> None:
    first, other = (draw("ar1", "sum", 1, seed)[0].windows[:, -1] for seed in (0, 1))

    assert not np.allclose(first, other)
    assert np.corrcoef(first[1:], first[:-1])[0, 1] == pytest.approx(0.9, abs=0.04)


def test_the_default_report_has_every_span_series_and_target_with_five_seeds_and_one_budget() -> None:
    runs = span_runs(ReportConfig())

    assert {run.span for run in runs} == {1, 2, 3, 5, 10, 20, 50}
    assert len(runs) == 7 * len(SERIES) * len(TARGETS) * 5
    assert len({run.budget for run in runs}) == 1


def test_least_squares_meets_the_noise_floor_of_a_sum_and_cannot_see_a_product() -> None:
    summed = SpanRun("white", "noisy sum", 5, 0, BUDGET).run()
    product = SpanRun("white", "noisy product", 5, 0, BUDGET).run()

    assert summed["rmse"]["linear"] == pytest.approx(summed["floor"], rel=0.05)
    assert product["rmse"]["linear"] == pytest.approx(product["rmse"]["mean"], rel=0.05)
    assert product["rmse"]["tanh_mlp"] < 0.8 * product["rmse"]["mean"]


def test_beyond_the_trained_range_a_line_is_carried_on_by_what_is_linear_and_not_by_the_lstm() -> None:
    result = SpanRun("line", "sum", 1, 0, BUDGET).run()

    assert result["outside"] == 1
    assert result["rmse"]["mlp_last"] * 10 < 0.1 < result["rmse"]["lstm"]


def test_a_run_gives_the_same_errors_again_whatever_ran_before_it() -> None:
    run = SpanRun("ar1", "noisy sum", 2, 1, BUDGET)

    first = run.run()
    SpanRun("white", "noisy product", 2, 0, BUDGET).run()
    again = run.run()

    assert again["rmse"] == first["rmse"]
    assert SpanRun("ar1", "noisy sum", 2, 2, BUDGET).run()["rmse"] != first["rmse"]


def test_no_contender_is_told_anything_of_the_rows_that_come_after_the_trained_ones() -> None:
    series = np.random.default_rng(0).normal(size=60).cumsum()
    changed = np.concatenate([series[:45], series[45:] * 100])
    split = Split(known=40, cut=40, end=55)

    first, other = (fit_contenders(make_rows(values, values, 5, 1), split, 0, BUDGET) for values in (series, changed))

    for name in (*CONTENDER_NETWORKS, "linear", "mean"):
        assert first[name].predictions[:40].tolist() == other[name].predictions[:40].tolist(), name
