import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.runs import NotedRun
from training.console import show_count
from training.report.kept import digest, run_all


def times_run(folder: Path) -> list[int]:
    return [len(path.read_text()) for path in sorted(folder.glob("ran-*"))]


def test_runs_are_spread_over_processes_given_in_order_and_made_once(tmp_path: Path) -> None:
    runs = [NotedRun(str(tmp_path), number) for number in range(8)]

    first = run_all(runs, tmp_path / "kept")
    again = run_all([*reversed(runs)], tmp_path / "kept")

    assert [result["number"] for result in first] == list(range(8))
    assert again == [*reversed(first)]
    assert times_run(tmp_path) == [1] * 8
    assert os.getpid() not in {result["process"] for result in first}


@pytest.mark.parametrize(
    ("trouble", "error"), [("failure", ValueError), ("death", ChildProcessError)], ids=["fails", "dies"]
)
def test_after_a_run_that_fails_or_dies_the_finished_ones_are_not_made_again(
    trouble: str, error: type[Exception], tmp_path: Path
) -> None:
    (tmp_path / trouble).touch()
    finished = [NotedRun(str(tmp_path), number) for number in range(2)]
    run_all(finished, tmp_path / "kept")

    with pytest.raises(error):
        run_all([*finished, NotedRun(str(tmp_path), 2, trouble)], tmp_path / "kept")
    (tmp_path / trouble).unlink()
    results = run_all([*finished, NotedRun(str(tmp_path), 2, trouble)], tmp_path / "kept")

    assert [result["number"] for result in results] == [0, 1, 2]
    assert times_run(tmp_path) == [1, 1, 2]
    assert not list((tmp_path / "kept").glob("*.draft"))


def test_on_a_terminal_progress_is_a_bar_with_runs_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    with show_count("run", 3) as done:
        done(3)

    shown = capsys.readouterr().err
    assert "run 3/3" in shown
    assert "━" in shown
    assert "0:00:00" in shown


def test_a_kept_file_that_is_not_whole_is_made_again(tmp_path: Path) -> None:
    run = NotedRun(str(tmp_path), 0)
    run_all([run], tmp_path)
    (tmp_path / f"{digest(run)}.json").write_text('{"result": {"num')

    assert run_all([run], tmp_path)[0]["number"] == 0
    assert times_run(tmp_path) == [2]


def test_a_digest_depends_on_every_field_and_on_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    run = NotedRun("folder", 0)
    digests = {digest(run), digest(replace(run, number=1)), digest(replace(run, trouble="death"))}
    monkeypatch.setattr("training.report.kept.CODE", -1)

    assert len(digests | {digest(run)}) == 4
    assert digest(run) == digest(NotedRun("folder", 0))
