import shutil
from pathlib import Path

import numpy as np
import pytest

from artifact import pin, verify, versions
from tests.repository import SHIPPED
from training.__main__ import main


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return shutil.copytree(SHIPPED, tmp_path / "models")


def own_series(folder: Path) -> Path:
    path = folder / "own.csv"
    path.write_text("\n".join(["y", *map(str, np.random.default_rng(0).normal(10, 1, 80))]))
    return path


def test_another_window_than_the_live_version_s_is_refused_before_the_training_with_three_ways_out(
    models_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = versions(models_dir, "lstm")[-1]

    assert main(["--window", "10", "--networks", "lstm", "--models-dir", str(models_dir)]) == 1

    said = capsys.readouterr().err
    assert f"lstm/{newest}, which is live, takes a window of 5" in said
    assert "this run makes a window of 10" in said
    for way in ("--name", "--change-signature", "python -m artifact pin lstm"):
        assert way in said
    assert "epoch" not in said
    assert versions(models_dir, "lstm")[-1] == newest


def test_another_column_is_another_signature_and_a_name_of_its_own_is_none(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(own_series(tmp_path)), "--networks", "linear", "--recipe", "scaled"]
    arguments += ["--models-dir", str(models_dir)]

    assert main(arguments) == 0  # no model of that name yet
    assert main([*arguments, "--horizon", "2"]) == 1
    assert "1 step from horizon 1 on, of column 'y'" in capsys.readouterr().err
    assert main([*arguments, "--horizon", "2", "--name", "other"]) == 0
    assert main([*arguments, "--horizon", "2", "--change-signature"]) == 0
    assert versions(models_dir, "linear") == [1, 2]


def test_another_unit_is_another_signature_but_no_unit_at_all_may_be_any(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.random.default_rng(0).normal(10, 1, 80)
    arguments = ["--networks", "linear", "--recipe", "scaled", "--models-dir", str(models_dir), "--data"]
    tables = {unit: tmp_path / f"{unit or 'none'}.csv" for unit in ("kg", "lb", "")}
    for unit, path in tables.items():
        path.write_text("\n".join(["y", *(f"{value:.4f} {unit}".strip() for value in values)]))

    assert main([*arguments, str(tables["kg"])]) == 0
    assert main([*arguments, str(tables["lb"])]) == 1
    said = capsys.readouterr().err
    assert "of column 'y' in kg; this run makes" in said
    assert "of column 'y' in lb. Clients" in said
    assert main([*arguments, str(tables[""])]) == 0
    assert versions(models_dir, "linear") == [1, 2]


def test_the_unit_is_that_of_the_target(models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = np.random.default_rng(0).normal(10, 1, (80, 2))
    arguments = ["--networks", "linear", "--target", "y", "--column", "x", "--models-dir", str(models_dir), "--data"]
    for unit in ("EUR", "USD"):
        rows = [f"{x:.4f} kg,{y:.4f} {unit}" for x, y in values]
        (tmp_path / f"{unit}.csv").write_text("\n".join(["x,y", *rows]))

    assert main([*arguments, str(tmp_path / "EUR.csv")]) == 0
    assert main([*arguments, str(tmp_path / "USD.csv")]) == 1
    assert "of column 'y' in EUR; this run makes" in capsys.readouterr().err


def test_behind_a_pin_another_signature_is_published_since_it_does_not_go_live(
    models_dir: Path, tmp_path: Path
) -> None:
    arguments = ["--data", str(own_series(tmp_path)), "--networks", "linear", "--recipe", "scaled"]
    arguments += ["--models-dir", str(models_dir)]
    assert main(arguments) == 0
    pin(models_dir, "linear", 1)

    assert main([*arguments, "--horizon", "2"]) == 0

    assert verify(models_dir, "linear", 2).card.horizon == 2


def test_publish_if_better_keeps_a_worse_model_back_says_both_errors_and_exits_3(
    models_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--networks", "lstm,linear", "--publish-if", "better", "--epochs", "1", "--models-dir", str(models_dir)]

    assert main(flags) == 3

    said = capsys.readouterr().err
    assert "lstm is not published: its MAE on the held-out windows is " in said
    assert f"that of lstm/{versions(SHIPPED, 'lstm')[-1]}, which is live, " in said
    assert versions(models_dir, "lstm") == versions(SHIPPED, "lstm")
    assert versions(models_dir, "linear") == [1]  # there is no live one to be better than
