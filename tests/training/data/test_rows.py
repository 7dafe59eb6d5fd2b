from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import TrainConfig
from training.data.errors import SeriesError
from training.data.rows import make_rows
from training.data.series import load_rows


def test_the_article_gives_a_hundred_rows_of_five_values_on_the_line_of_its_closed_form() -> None:
    rows = load_rows(TrainConfig())

    assert rows.windows.shape == (100, 5)
    assert rows.windows[0].tolist() == [0, 1, 2, 3, 4]
    assert rows.windows[-1].tolist() == [99, 100, 101, 102, 103]
    np.testing.assert_allclose(rows.targets, 1.8 * np.arange(4, 104) - 1.2, rtol=1e-12)
    np.testing.assert_allclose(rows.persistence, rows.targets - 1.8, rtol=1e-12)


def test_the_split_holds_out_the_last_rows_as_keras_does() -> None:
    trained, held_out = load_rows(TrainConfig()).split(0.05, 0)

    assert len(trained.targets) == 95
    assert held_out.windows[:, -1].tolist() == [99, 100, 101, 102, 103]


@pytest.mark.parametrize("horizon", [1, 2, 12])
def test_no_target_is_trained_on_that_comes_after_the_first_held_out_window(horizon: int) -> None:
    series = np.arange(100.0)

    trained, held_out = make_rows(series, series, 5, horizon).split(0.2, horizon)

    assert trained.targets[-1] == held_out.windows[0, -1]


@given(share=st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_every_split_leaves_rows_on_both_sides(share: float) -> None:
    trained, held_out = load_rows(TrainConfig()).split(share, 0)

    assert len(trained.targets) >= 1
    assert len(held_out.targets) >= 1
    assert len(trained.targets) + len(held_out.targets) == 100


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=60),
    window=st.integers(1, 12),
    horizon=st.integers(0, 9),
    own_target=st.booleans(),
)
def test_a_row_is_a_window_the_target_after_it_and_the_last_target_known_by_then(
    values: list[float], window: int, horizon: int, *, own_target: bool
) -> None:
    series = np.array(values)
    target = series if own_target and horizon else series * 2

    rows = make_rows(series, target, window, horizon)

    for number, end in enumerate(range(len(series) - horizon - len(rows.targets), len(series) - horizon)):
        assert rows.windows[number].tolist() == values[end - window + 1 : end + 1]
        assert rows.targets[number] == target[end + horizon]
        assert rows.persistence[number] == target[end if horizon else end - 1]
    first_end = max(window - 1, 0 if horizon else 1)
    assert len(rows.targets) == len(values) - horizon - first_end


def test_a_series_too_short_to_learn_from_is_refused_with_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("x\n" + "\n".join(map(str, range(24))))

    with pytest.raises(SeriesError, match=r"24 values make 19 windows of 5; at least 20 are needed"):
        load_rows(TrainConfig(data=path, column="x"))


@pytest.mark.parametrize(
    ("horizon", "problem"),
    [
        (100, "60 values make 0 windows of 5 at horizon 100; at least 20 are needed"),
        (36, "--held-out 0.05 at horizon 36 leaves 1 row of 20 to train on; at least 10 are needed: type --horizon"),
    ],
)
def test_a_horizon_too_long_for_a_series_is_named_with_the_longest_that_is_not(
    tmp_path: Path, horizon: int, problem: str
) -> None:
    path = tmp_path / "sixty.csv"
    path.write_text("x\n" + "\n".join(str(value**2 % 17) for value in range(60)))

    with pytest.raises(SeriesError) as told:
        load_rows(TrainConfig(data=path, column="x", horizon=horizon, held_out=0.05))

    assert problem in str(told.value)
    longest = int(str(told.value).partition("--horizon ")[2].split()[0])
    load_rows(TrainConfig(data=path, column="x", horizon=longest, held_out=0.05))
    with pytest.raises(SeriesError):
        load_rows(TrainConfig(data=path, column="x", horizon=longest + 1, held_out=0.05))


def test_a_target_column_is_taken_where_the_window_ends_and_with_a_horizon_after_it(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("x,y\n" + "\n".join(f"{i},{100 + i}" for i in range(40)))

    at_the_end = load_rows(TrainConfig(data=path, column="x", target="y"))
    later = load_rows(TrainConfig(data=path, column="x", target="y", horizon=3))

    assert (at_the_end.windows[0, -1], at_the_end.targets[0]) == (4, 104)
    assert (later.windows[0, -1], later.targets[0]) == (4, 107)


def stacked(tmp_path: Path, lengths: dict[str, int]) -> Path:
    """Series below each other: the k-th value of the n-th series is 1000 n + k squared."""
    lines = ["unique_id,ds,y"]
    for number, (name, length) in enumerate(lengths.items()):
        days = np.arange(length) + np.datetime64("2024-01-01")
        lines += [f"{name},{day},{1000 * number + k * k}" for k, day in enumerate(days)]
    path = tmp_path / "stacked.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("horizon", [1, 3])
def test_no_window_and_no_target_of_stacked_series_reaches_into_another(horizon: int, tmp_path: Path) -> None:
    path = stacked(tmp_path, {"a": 30, "b": 12, "c": 40})

    rows = load_rows(TrainConfig(data=path, window=4, horizon=horizon))

    assert rows.table is not None
    assert [int((rows.series == k).sum()) for k in range(3)] == [27 - horizon, 9 - horizon, 37 - horizon]
    for number, window, target, known in zip(rows.series, rows.windows, rows.targets, rows.persistence, strict=True):
        places = np.sqrt(window - 1000 * number)
        np.testing.assert_allclose(np.diff(places), 1)
        assert target == 1000 * number + (places[-1] + horizon) ** 2
        assert known == window[-1]
        assert rows.table.ids[number] in "abc"


def test_each_of_stacked_series_holds_out_its_own_last_rows(tmp_path: Path) -> None:
    rows = load_rows(TrainConfig(data=stacked(tmp_path, {"a": 30, "b": 60}), window=5))

    trained, held_out = rows.split(0.2, 1)

    assert [int((held_out.series == k).sum()) for k in range(2)] == [5, 11]
    assert [int((trained.series == k).sum()) for k in range(2)] == [20, 44]
    for number in range(2):
        assert trained.last[trained.series == number].max() < held_out.last[held_out.series == number].min()


def test_a_series_that_is_too_short_or_constant_is_left_out_with_its_reason(tmp_path: Path) -> None:
    path = stacked(tmp_path, {"a": 30, "short": 6})
    path.write_text(path.read_text() + "".join(f"\nflat,2024-01-{k:02},5" for k in range(1, 31)))

    rows = load_rows(TrainConfig(data=path))

    assert rows.table is not None
    assert rows.table.left_out == {
        "short": "has 6 rows in one piece, needs 7",
        "flat": "is constant (5 in every row)",
    }
    assert set(rows.series) == {0}


def test_windows_of_one_series_are_views_and_not_copies() -> None:
    series = np.arange(50.0)

    assert np.shares_memory(make_rows(series, series, 5, 1).windows, series)
