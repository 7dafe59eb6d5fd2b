import subprocess
import sys

import pytest
from pydantic import ValidationError
from pydantic_settings import CliApp

from training.__main__ import main
from training.config import TrainConfig


def test_every_field_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    shown = capsys.readouterr().out
    for field in TrainConfig.model_fields:
        assert f"--{field.replace('_', '-')}" in shown


@pytest.mark.parametrize("command", [[], ["report"]], ids=["training", "report"])
def test_help_fits_80_columns_and_shows_examples_and_no_types_of_python(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])

    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "examples:\n  python -m training" in shown
    for unwanted in ("None", "null", "factory", "tuple", "('lstm'"):
        assert unwanted not in shown


def test_flags_set_fields() -> None:
    config = CliApp.run(TrainConfig, ["--epochs", "20", "--batch-size", "7", "--models-dir", "elsewhere"])
    networks = CliApp.run(TrainConfig, ["--networks", "gru,linear", "--name", "sales"])

    assert (networks.networks, networks.model_name("gru")) == (("gru", "linear"), "sales-gru")
    assert (config.epochs, config.batch_size, str(config.models_dir)) == (20, 7, "elsewhere")


def test_an_unknown_flag_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--epoch-count", "3"])
    assert "--epoch-count" in capsys.readouterr().err


WRONG = {
    "--learning-rate inf": "--learning-rate: Input should be a finite number",
    "--csv a.csv --column a --target a --horizon 0": "the window's last value would be its own target",
    "--epochs 0": "--epochs: Input should be greater than or equal to 1",
    "--held-out 1": "--held-out: Input should be less than 1",
    "--networks lstm,tree": "--networks: 'tree' is not a network; the networks are lstm, mlp, pair,",
    "--networks lstm,lstm": "--networks: name one network or more, each once",
    "--name Sales": "--name 'Sales': a model's name has small letters, digits,",
    "--recipe best": "--recipe: Input should be 'combination', 'scaled' or 'article'",
    "--steps 3": "--steps: only by --recipe combination, which needs --data and no other --target",
    "--networks pair": "--networks pair needs --recipe combination, and so --data",
    "--recipe combination": "--recipe combination forecasts the series itself: it needs --data, and no other --target",
    "--data a.csv --window 1": "--window 1: the combination recipe scales each window by itself, which takes 2 values",
    "--data a.csv --backtest 3 --held-out 0.1": "give --backtest, windows of each series, or --held-out,",
    "--column a": "--column needs --data",
    "--horizon 2 --target b": "--target, --horizon need --data",
    "--data a.csv --gaps fill": "--gaps: Input should be 'interpolate', 'previous', 'zero' or 'split'",
    "--csv a.csv --column a --horizon 0": "the window's last value would be its own target",
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.items())
def test_a_wrong_argument_is_named_and_exits_2(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(arguments.split())
    except SystemExit as exited:
        code = int(exited.code or 0)

    assert code == 2
    assert message in capsys.readouterr().err


def test_the_environment_does_not_change_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED", "7")
    monkeypatch.setenv("LAGCAST_SEED", "7")

    assert TrainConfig().seed == 0


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().seed = 3  # type: ignore[misc]


def test_help_and_a_bad_series_are_answered_without_silent_stderr() -> None:
    script = (
        "import sys; from training.__main__ import main; "
        "assert main(['--csv', 'none.csv', '--column', 'x']) == 2; assert 'tensorflow' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", script], check=True, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("rows", "epochs"), [(20, 4000), (100, 4000), (200, 2000), (1000, 400), (40_000, 10), (2_000_000, 1)]
)
def test_unset_epochs_are_a_budget_of_steps_that_depends_on_the_rows(rows: int, epochs: int) -> None:
    config = TrainConfig().for_rows(rows)

    assert config.resolved_epochs == epochs
    assert TrainConfig(recipe="article").for_rows(rows).resolved_epochs == max(epochs // 2, 1)
    assert TrainConfig(epochs=7).for_rows(rows).resolved_epochs == 7


def test_a_batch_has_no_more_rows_than_there_are() -> None:
    assert TrainConfig(batch_size=30_000_000).for_rows(55).batch_size == 55
    assert TrainConfig(batch_size=5).for_rows(55).batch_size == 5
