import math

import numpy as np
import pytest

from training.config import TrainConfig
from training.data.rows import Rows
from training.data.series import load_rows
from training.evaluate import evaluate, metrics


def test_metrics_are_those_of_a_sum_done_by_hand() -> None:
    result = metrics(np.array([1.0, 2, 6]), np.array([1.0, 4, 5]), naive_error=2)

    assert result.mae == 1
    assert result.rmse == pytest.approx(math.sqrt(5 / 3))
    assert result.max_abs_error == 2
    assert result.r2 == pytest.approx(1 - 5 / (26 / 3))
    assert result.mase == 0.5


def test_a_constant_target_leaves_r2_and_mase_undefined() -> None:
    result = metrics(np.array([1.0, 2]), np.array([1.0, 1]), naive_error=0)

    assert result.r2 is None
    assert result.mase is None


def test_baselines_are_persistence_and_least_squares_on_the_window() -> None:
    trained, held_out = load_rows(TrainConfig()).split(0.05, 0)

    evaluation = evaluate(held_out.targets + 0.5, trained, held_out)

    assert evaluation.held_out_rows == 5
    assert evaluation.persistence.mae == pytest.approx(1.8, rel=1e-6)
    assert evaluation.persistence.mase == pytest.approx(1, rel=1e-6)
    assert evaluation.linear.max_abs_error < 1e-4
    assert evaluation.model.mae == pytest.approx(0.5)


def test_a_model_is_told_which_baselines_it_loses_to() -> None:
    trained, held_out = load_rows(TrainConfig()).split(0.05, 0)

    assert evaluate(held_out.targets + 5, trained, held_out).loses_to == ["persistence", "linear"]
    assert evaluate(held_out.targets + 0.5, trained, held_out).loses_to == ["linear"]
    assert evaluate(held_out.targets, trained, held_out).loses_to == []


def test_one_held_out_row_is_enough() -> None:
    trained, held_out = Rows.of(np.arange(10.0)[:, None], np.arange(10.0), np.arange(10.0) - 1).split(0.01, 0)

    evaluation = evaluate(held_out.targets, trained, held_out)

    assert evaluation.held_out_rows == 1
    assert evaluation.model.r2 is None
