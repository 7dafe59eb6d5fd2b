import numpy as np
import pytest

from training.report.verdicts import judge


def scores(**values: float) -> dict[str, np.ndarray]:
    return {name: value * np.array([0.99, 1.0, 1.01]) for name, value in values.items()}


@pytest.mark.parametrize(
    ("lstm", "trained", "outside", "outcome", "why"),
    [
        (0.5, 0.5, 0.0, "wins", None),
        (1.01, 1.0, 0.0, "level", None),
        (3.0, 1.0, 1.0, "loses", "extrapolates"),
        (3.0, 1.0, 0.1, "loses", "overfits"),
        (3.0, 3.0, 1.0, "loses", "underfits"),
        (1.1, 1.1, 0.0, "loses", "falls short"),
    ],
)
def test_the_lstm_is_judged_against_the_best_of_the_others_and_a_loss_has_a_reason(
    lstm: float, trained: float, outside: float, outcome: str, why: str | None
) -> None:
    verdict = judge(scores(lstm=lstm, linear=1.0, mean=2.0), scores(lstm=trained), outside)

    assert (verdict.outcome, verdict.why, verdict.rival) == (outcome, why, "linear")
    assert verdict.ratio == pytest.approx(lstm)


def test_a_loss_with_some_seeds_and_a_win_with_others_is_level() -> None:
    rmse = {"lstm": np.array([1.0, 3.0]), "linear": np.array([1.5, 1.0])}

    assert judge(rmse, rmse, 0).outcome == "level"
