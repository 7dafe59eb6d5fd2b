import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import TrainConfig
from training.data.series import SeriesError, load_rows, make_rows, read_columns


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


CSV_ERRORS = {
    "empty cell": ("t,x\n1,5\n2,\n3,7\n", "line 3, column 'x': is empty"),
    "short line": ("t,x\n1,5\n2\n3,7\n", "line 3, column 'x': is empty"),
    "blank line": ("x\n5\n\n7\n", "line 3: is blank"),
    "text": ("x\n5\nsix\n", "line 3, column 'x': 'six' is not a number"),
    "NaN": ("x\n5\nNaN\n", "line 3, column 'x': 'NaN' is not a number"),
    "underscore": ("x\n1_000\n", "line 2, column 'x': '1_000' is not a number"),
    "infinity": ("x\ninf\n", "line 2, column 'x': 'inf' is larger than 1e+18"),
    "a huge number": ("x\n1e19\n", "line 2, column 'x': '1e19' is larger than 1e+18"),
    "after a quoted line break": ('n,x\n"a\nb",5\nc,six\n', "line 4, column 'x': 'six' is not a number"),
    "missing column": ("t,y\n1,2\n", "line 1: column 'x' is missing; the columns are 't', 'y'"),
    "column twice": ("x,x\n1,2\n", "line 1: column 'x' is there more than once"),
    "a decimal comma": ("x\n1,5\n", "line 2: has 2 cells under 1 columns"),
    "a line break in a header": ('"a\nb"\n1\n', r"column 'x' is missing; the columns are 'a\nb'"),
    "no header": ("", "line 1: column 'x' is missing; the columns are none"),
    "open quote": ('x\n1\n"2\n', "line 3: is not CSV"),
}


@pytest.mark.parametrize(("content", "message"), CSV_ERRORS.values(), ids=CSV_ERRORS)
def test_a_bad_file_is_refused_by_name_line_and_column(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)

    with pytest.raises(SeriesError, match=re.escape(message)) as caught:
        read_columns(path, ["x"])
    assert "bad.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"x\n1\n\xff\n")

    with pytest.raises(SeriesError, match=r"bad\.csv, line 3: is not text in UTF-8"):
        read_columns(path, ["x"])


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match=r"none\.csv: No such file or directory"):
        read_columns(tmp_path / "none.csv", ["x"])


def test_a_series_too_short_to_learn_from_is_refused_with_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("x\n" + "\n".join(map(str, range(24))))

    with pytest.raises(SeriesError, match=r"24 values make 19 windows of 5; at least 20 are needed"):
        load_rows(TrainConfig(csv=path, column="x"))


def test_a_byte_order_mark_spaces_and_trailing_blank_lines_are_no_part_of_the_series(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfx,y\r\n 1 ,2\r\n-3e0,4\r\n\r\n\r\n")

    x, y = read_columns(path, ["x", "y"])

    assert x.tolist() == [1, -3]
    assert y.tolist() == [2, 4]


def test_a_target_column_is_taken_where_the_window_ends_and_with_a_horizon_after_it(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("x,y\n" + "\n".join(f"{i},{100 + i}" for i in range(40)))

    at_the_end = load_rows(TrainConfig(csv=path, column="x", target="y"))
    later = load_rows(TrainConfig(csv=path, column="x", target="y", horizon=3))

    assert (at_the_end.windows[0, -1], at_the_end.targets[0]) == (4, 104)
    assert (later.windows[0, -1], later.targets[0]) == (4, 107)
