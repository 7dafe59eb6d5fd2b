import pytest
from pydantic import ValidationError

from training.config import TrainConfig
from training.parser import parse
from training.report.config import ReportConfig


def test_flags_are_read_into_the_config() -> None:
    config = parse(TrainConfig, ["--networks", "lstm,gru", "--held-out", "0.2", "--epochs", "7"])

    assert (config.networks, config.held_out, config.epochs) == (("lstm", "gru"), 0.2, 7)


def test_a_wrong_value_is_a_validation_error_of_its_field() -> None:
    with pytest.raises(ValidationError) as caught:
        parse(TrainConfig, ["--epochs", "many"])

    assert caught.value.errors()[0]["loc"] == ("epochs",)


@pytest.mark.parametrize("flag", ["--nope", "--epoch"])
def test_an_unknown_or_abbreviated_flag_exits_2(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(TrainConfig, [flag, "1"])

    assert caught.value.code == 2
    assert f"unrecognized arguments: {flag}" in capsys.readouterr().err


@pytest.mark.parametrize("config", [TrainConfig, ReportConfig])
def test_help_shows_every_flag_with_examples_and_without_the_names_of_python_types(
    config: type[TrainConfig | ReportConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(config, ["--help"])

    shown = capsys.readouterr().out
    assert caught.value.code == 0
    for field in config.model_fields:
        assert f"--{field.replace('_', '-')}" in shown
    assert "examples:\n  python -m training" in shown
    for python in ("None", "null", "tuple[", "Path,", "default factory"):
        assert python not in shown
