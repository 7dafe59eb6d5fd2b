"""Kept scores: computed once, resumed after an interruption."""

from pathlib import Path

import pytest

from benchmarks.forecasts.kept import if_kept, kept
from benchmarks.forecasts.scores import Scores

FOUND = {"MLP": Scores([1.0, 2.0], [0.5, 0.25], 3.0, {80: [1.0, 0.5]}, {80: [2.0, 4.0]})}


def interrupted() -> dict[str, Scores]:
    raise KeyboardInterrupt


def test_scores_are_computed_once_and_then_read(tmp_path: Path) -> None:
    first = kept("M1-yearly-neural", lambda: FOUND, tmp_path)

    assert kept("M1-yearly-neural", interrupted, tmp_path) == first == if_kept("M1-yearly-neural", tmp_path)
    assert first["MLP"]["smape"] == [1.0, 2.0]
    assert first["MLP"]["coverage"] == {"80": [1.0, 0.5]}


def test_an_interruption_leaves_no_file_and_the_next_run_computes_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        kept("M1-yearly-neural", interrupted, tmp_path)

    assert if_kept("M1-yearly-neural", tmp_path) == {}
    assert kept("M1-yearly-neural", lambda: FOUND, tmp_path)["MLP"]["seconds"] == 3
