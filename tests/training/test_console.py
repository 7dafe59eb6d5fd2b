import pytest

from artifact import Evaluation, ModelCard, verify
from tests.repository import SHIPPED
from training.console import show_fits, table, verdict


def card(model: float, linear: float, rows: int = 20, persistence: float = 2.0) -> ModelCard:
    shipped = verify(SHIPPED, "lstm", 1).card
    of = {
        name: getattr(shipped.evaluation, name).model_copy(update={"rmse": rmse})
        for name, rmse in (("model", model), ("linear", linear), ("persistence", persistence))
    }
    loses_to = [name for name in ("persistence", "linear") if of[name].rmse * 1.02 < model]
    return shipped.model_copy(update={"evaluation": Evaluation(held_out_rows=rows, loses_to=loses_to, **of)})


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (card(1.0, 1.5), "lstm/1 beats persistence and linear on 20 held-out rows"),
        (card(1.5, 1.0), "lstm/1 LOSES to linear (1) on 20 held-out rows, RMSE 1.5"),
        (card(1.0, 1.01), "lstm/1 beats persistence, ties with linear on 20 held-out rows"),
        (card(1.01, 1.0), "lstm/1 beats persistence, ties with linear on 20 held-out rows"),
        (card(0.0, 0.0, persistence=0.0), "lstm/1 ties with persistence and linear on 20 held-out rows"),
        (card(1.0, 1.5, rows=1), "lstm/1: 1 held-out row, too few to tell whether it beats persistence and linear"),
        (card(1.0, 1.5, rows=3), "lstm/1: 3 held-out rows, too few to tell whether it beats persistence and linear"),
    ],
)
def test_the_verdict_is_a_win_a_loss_a_tie_or_that_the_rows_are_too_few(shown: ModelCard, text: str) -> None:
    assert verdict(shown).startswith(text)


@pytest.mark.parametrize(
    ("config", "flag"),
    [
        ({"held_out": 0.05}, "--held-out"),
        ({"backtest": 3, "held_out": None}, "--backtest"),
        ({"backtest": 3, "held_out": 0.05}, "--held-out"),
    ],
)
def test_with_too_few_rows_the_flag_that_makes_more_of_them_is_the_one_that_the_recipe_takes(
    config: dict[str, float | None], flag: str
) -> None:
    shown = card(1.0, 1.5, rows=3).model_copy(update={"config": config})

    assert verdict(shown).endswith(f"raise {flag}")


def test_several_steps_and_series_have_rows_for_the_first_and_last_step_and_for_the_spread_over_series() -> None:
    shown = card(1.0, 1.5)
    one, other = (shown.evaluation.model.model_copy(update={"rmse": rmse}) for rmse in (7.25, 9.5))
    several = {
        "steps": [one, shown.evaluation.model, other],
        "series": 3,
        "deviation": one,
        "better_than_linear": 0.625,
    }
    shown = shown.model_copy(update={"evaluation": shown.evaluation.model_copy(update=several)})

    rows = {line[:14].strip(): line.split() for line in table(shown).splitlines()}

    assert list(rows) == ["lstm/1", "model", "step 1", "step 3", "deviation", "persistence", "linear"]
    assert ("7.25" in rows["step 1"], "9.5" in rows["step 3"], "7.25" in rows["deviation"]) == (True, True, True)
    assert "  its MAE is lower than that of linear on 62% of the series" in verdict(shown).splitlines()


def test_without_a_terminal_there_is_a_line_each_ten_seconds_however_slow_a_fit_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("training.console.time.monotonic", lambda: now)

    with show_fits(4, 1000) as start:
        start("linear on 95 rows")
        on_epochs = start("lstm on 100 rows")
        for second in range(1, 41):
            now = float(second)
            on_epochs(second / 2, 0.5)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0] == "fit 2 of 4, lstm on 100 rows: epoch 5/1000, loss 0.5, 0:00:30 left of the whole run"
