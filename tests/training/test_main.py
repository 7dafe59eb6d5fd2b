import os
import pty
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from artifact import verify, versions
from artifact.version import VERSION
from tests.repository import CHECKOUT, copy_of_shipped
from training.__main__ import main


def command(*arguments: str | int | Path) -> list[str]:
    return [sys.executable, "-m", "training", *map(str, arguments)]


def series(path: Path, values: list[str]) -> Path:
    path.write_text("\n".join(["x", *values]))
    return path


class Run(NamedTuple):
    models_dir: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of few epochs, without a terminal, into a repository that has version 1 of both models."""
    models_dir = copy_of_shipped(tmp_path_factory.mktemp("run"))
    told = command("--epochs", 20, "--valid-days", 30, "--models-dir", models_dir)
    ended = subprocess.run(told, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    return Run(models_dir, ended.stdout, ended.stderr)


def test_a_run_publishes_the_next_version_of_both_models_and_prints_how_good_they_are(run: Run) -> None:
    assert [versions(run.models_dir, name) for name in ("lstm", "mlp")] == [[1, 2], [1, 2]]
    card = verify(run.models_dir, "lstm", 2).card
    assert card.evaluation.loses_to
    assert card.valid_days == 30
    assert card.fitted_on == "all rows"
    *_, verdicts, published_fit, _hints = run.stdout.split("\n\n")
    assert published_fit.startswith("The published weights are fitted on all rows; the errors are")
    lstm, mlp = verdicts.splitlines()
    assert lstm.startswith(f"lstm/2 LOSES to {card.evaluation.loses_to[0]}")
    assert mlp.startswith("mlp/2 ")
    assert mlp.endswith("on 5 held-out rows")
    for word in ("mae", "rmse", "max_abs_error", "r2", "mase", "persistence", "linear"):
        assert word in run.stdout


def test_without_a_terminal_progress_is_plain_lines_and_nothing_else_is_said(run: Run) -> None:
    lines = [line for line in run.stderr.splitlines() if "XNNPACK" not in line]

    assert all(": epoch " in line and ", loss " in line for line in lines)
    assert "fit 1 of 4, lstm on 95 rows: epoch" in run.stderr
    assert "lstm on 95 rows: epoch 20/20" in run.stderr
    assert "mlp on 100 rows: epoch 20/20" in run.stderr
    assert "\x1b" not in run.stderr


def test_on_a_terminal_progress_is_a_bar_with_fit_epoch_loss_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read_terminal, leader)
        with os.fdopen(follower, "w") as terminal:
            monkeypatch.setattr("sys.stderr", terminal)
            code = main(["--networks", "mlp", "--epochs", "20", "--models-dir", str(tmp_path)])
        shown = reading.result()

    assert code == 0, shown
    assert "━" in shown
    assert "fit 2 of 2, mlp on 100 rows" in shown
    assert "epoch 20/20" in shown
    assert "loss " in shown
    assert "0:00:00" in shown


def read_terminal(leader: int) -> str:
    """All output, read while it is written: a full terminal buffer would block the writer."""
    parts = []
    try:
        while part := os.read(leader, 1 << 16):
            parts.append(part)
    except OSError:  # error of Linux after the last writer has closed a terminal
        pass
    finally:
        os.close(leader)
    return b"".join(parts).decode()


def test_an_interrupted_run_publishes_nothing_and_exits_130(tmp_path: Path) -> None:
    # If the tests run in the background of a script, SIGINT is ignored, and a child would inherit that.
    with subprocess.Popen(
        ["env", "--default-signal=INT", *command("--networks", "mlp", "--epochs", 100_000, "--models-dir", tmp_path)],
        cwd=CHECKOUT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stderr is not None
        assert "fit 1 of 2, mlp on 95 rows: epoch" in run.stderr.readline()
        run.send_signal(signal.SIGINT)
        said = run.stderr.read()

    assert run.returncode == 130
    assert said.splitlines()[-1] == "training: interrupted"
    assert versions(tmp_path, "mlp") == []


def test_a_series_of_ones_own_is_trained_on_and_named_on_the_card_without_its_folder(tmp_path: Path) -> None:
    path = series(tmp_path / "own.csv", [str(value % 7) for value in range(60)])

    flags = ["--csv", str(path), "--column", "x", "--window", "3", "--networks", "linear", "--recipe", "scaled"]
    code = main([*flags, "--epochs", "1", "--models-dir", f"{tmp_path}/m"])

    card = verify(tmp_path / "m", "linear", 1).card
    assert code == 0
    assert (card.window, card.horizon, card.input.shape) == (3, 1, [None, 3])
    assert (card.data.source, card.config["data"]) == ("own.csv", "own.csv")
    assert str(tmp_path) not in card.model_dump_json()


def test_a_run_says_first_how_the_table_was_read_and_its_card_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = CHECKOUT / "tests/data/tables/days_left_out.csv"

    flags = ["--gaps", "interpolate", "--networks", "linear", "--recipe", "scaled", "--batch-size", "30000000"]
    flags += ["--models-dir", str(tmp_path)]
    code = main(["--data", str(path), *flags])

    assert code == 0
    assert capsys.readouterr().err.splitlines()[:4] == [
        f"file        {path}: CSV, utf-8, LF, comma",
        "columns     value 'litres', time 'day' (%Y-%m-%d)",
        "rows        40 rows, 2023-11-20 to 2023-12-29, oldest first",
        "frequency   D (day), season of 7",
    ]
    card = verify(tmp_path, "linear", 1).card
    assert (card.data.frequency, card.data.column, card.config["batch_size"]) == ("D", "litres", 35)
    assert card.data.read is not None
    assert card.data.read["gaps"] == "4: interpolate"
    assert card.data.read["dialect"]["delimiter"] == "comma"
    assert card.data.describe() == "days_left_out.csv litres, 35 rows, D, gaps 4: interpolate"


def test_a_bad_series_exits_2_with_one_line_and_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = series(tmp_path / "bad.csv", ["1", "two"])

    code = main(["--csv", str(path), "--column", "x", "--models-dir", f"{tmp_path}/m"])

    assert code == 2
    assert capsys.readouterr().err == f"training: {path}, line 3, column 'x': 'two' is not a number\n"
    assert not (tmp_path / "m").exists()


def test_a_repository_that_cannot_be_written_exits_1_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")

    code = main(["--epochs", "1", "--models-dir", f"{tmp_path}/file"])

    assert code == 1
    assert "Not a directory" in capsys.readouterr().err.splitlines()[-1]


def test_folders_that_exist_and_cannot_be_written_are_found_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lstm").mkdir()
    (tmp_path / "mlp").symlink_to("/proc/self/fdinfo")  # a path to which not even root can write

    code = main(["--models-dir", str(tmp_path)])

    assert code == 1
    assert capsys.readouterr().err.startswith(f"training: {tmp_path}/mlp: cannot be written: ")
    assert list((tmp_path / "lstm").iterdir()) == []


def test_a_reader_of_stdout_that_has_gone_ends_the_run_quietly_and_the_models_are_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "w") as stdout:  # closed as at the end of a process: what is left is flushed
        monkeypatch.setattr("sys.stdout", stdout)
        code = main(["--networks", "linear", "--epochs", "1", "--models-dir", str(tmp_path)])

    assert code == 141
    assert "Error" not in capsys.readouterr().err
    assert versions(tmp_path, "linear") == [1]


def test_a_full_device_for_stdout_exits_1_and_says_what_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:  # closed as at the end of a process: what is left is flushed
        monkeypatch.setattr("sys.stdout", full)
        code = main(["--networks", "linear", "--epochs", "1", "--models-dir", str(tmp_path)])

    assert code == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"training: published in {tmp_path}: linear/1; but the results cannot be printed: No space left on device"
    )
    assert versions(tmp_path, "linear") == [1]


def test_a_full_device_for_the_output_of_inspect_exits_1_with_one_line() -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            command("inspect", "--data", "tests/data/airline.csv"),
            cwd=CHECKOUT,
            env=buffered,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert run.returncode == 1
    assert run.stderr == "training: the results cannot be printed: No space left on device\n"


def test_a_loss_that_is_not_finite_exits_1_and_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--networks", "mlp", "--learning-rate", "1e30", "--epochs", "50", "--models-dir", str(tmp_path)])

    assert code == 1
    assert "the loss is not finite" in capsys.readouterr().err.splitlines()[-1]
    assert versions(tmp_path, "mlp") == []


def test_with_a_key_file_in_the_environment_the_cards_are_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("secret")
    monkeypatch.setenv("LAGCAST_CARD_KEY_FILE", str(tmp_path / "key"))

    assert main(["--networks", "linear", "--epochs", "1", "--models-dir", f"{tmp_path}/m"]) == 0

    assert verify(tmp_path / "m", "linear", 1, key=b"secret").card.name == "linear"


@pytest.mark.parametrize("name", [[], ["inspect"], ["report"]])
def test_version_is_that_of_the_project(name: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*name, "--version"])

    assert capsys.readouterr().out == f"lagcast {VERSION}\n"
