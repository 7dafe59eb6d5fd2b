"""Windows to score: each of the newest values is an actual value once for each step ahead, and no other value is."""

from pathlib import Path

import numpy as np
import pytest

from training.data.reading import read_table
from training.data.table import Table
from training.score.rows import Shape, actual_rows
from training.series_config import SeriesConfig


def table_of(folder: Path, *series: list[float], gaps: bool = False) -> Table:
    """A table of several daily series; with gaps one day in the middle of each series is missing."""
    lines = ["id,day,value"]
    for number, values in enumerate(series):
        for day, value in enumerate(values):
            later = 1 if gaps and day >= len(values) // 2 else 0
            lines.append(f"s{number},{np.datetime64('2024-01-01') + day + later},{value}")
    path = folder / "table.csv"
    path.write_text("\n".join(lines))
    return read_table(SeriesConfig(data=path, id="id", gaps="split" if gaps else None))


def test_the_newest_values_are_scored_at_every_step_ahead(tmp_path: Path) -> None:
    table = table_of(tmp_path, [float(value) for value in range(20)])

    rows = actual_rows(table, Shape(window=3, steps=2, horizon=1), last=2)

    assert rows.windows.tolist() == [[14, 15, 16], [15, 16, 17], [16, 17, 18]]
    np.testing.assert_array_equal(rows.actuals, [[np.nan, 18], [18, 19], [19, np.nan]])


def test_scoring_with_each_new_value_scores_the_same_as_all_at_once(tmp_path: Path) -> None:
    values = [float(value) for value in range(20)]
    shape = Shape(window=3, steps=4, horizon=2)

    def pairs(count: int, last: int) -> list[tuple[float, int, float]]:
        rows = actual_rows(table_of(tmp_path, values[:count]), shape, last)
        return [
            (float(window[-1]), step, float(actual))
            for window, row in zip(rows.windows, rows.actuals, strict=True)
            for step, actual in enumerate(row)
            if not np.isnan(actual)
        ]

    day_by_day = [pair for count in range(16, 21) for pair in pairs(count, 1)]

    assert sorted(day_by_day) == sorted(pairs(20, 5))
    assert len(day_by_day) == len(set(day_by_day)) == 5 * 4
    assert all(actual == end + shape.horizon + step for end, step, actual in day_by_day)


def test_the_newest_values_are_those_of_each_series_and_no_window_reaches_over_a_gap(tmp_path: Path) -> None:
    table = table_of(tmp_path, [float(v) for v in range(20)], [float(v) for v in range(100, 120)], gaps=True)

    rows = actual_rows(table, Shape(window=3, steps=1, horizon=1), last=100)

    assert len(rows.windows) == 4 * 7
    assert sorted(rows.actuals[:, 0]) == sorted([*range(3, 10), *range(13, 20), *range(103, 110), *range(113, 120)])
    assert (np.diff(rows.windows, axis=1) == 1).all()


def test_a_target_of_the_same_row_is_the_actual_of_horizon_0(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "\n".join(f"{value},{10 * value}" for value in range(8)))
    table = read_table(SeriesConfig(data=path, column="x", target="y"))

    rows = actual_rows(table, Shape(window=1, steps=1, horizon=0), last=3)

    assert rows.windows.tolist() == [[5], [6], [7]]
    assert rows.actuals.tolist() == [[50], [60], [70]]


@pytest.mark.parametrize("count", [2, 3])
def test_series_that_are_too_short_have_no_rows(tmp_path: Path, count: int) -> None:
    rows = actual_rows(table_of(tmp_path, [1.0] * count), Shape(window=3, steps=1, horizon=1), last=5)

    assert rows.windows.shape == (0, 3)
    assert rows.actuals.shape == (0, 1)
