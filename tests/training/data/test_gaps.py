"""Duplicated times and gaps: the effect of each flag."""

from pathlib import Path

import numpy as np
import pytest

from training.config import TrainConfig
from training.data.errors import SeriesError
from training.data.reading import read_table
from training.data.series import load_rows
from training.data.table import Table


def written(tmp_path: Path, rows: list[tuple[str, str]], head: str = "ds,y") -> Path:
    path = tmp_path / "table.csv"
    path.write_text("\n".join([head, *(",".join(row) for row in rows)]))
    return path


def days(values: list[str], first: str = "2024-01-01") -> list[tuple[str, str]]:
    return [(str(np.datetime64(first) + k), value) for k, value in enumerate(values) if value != "absent"]


def times(table: Table) -> list[str]:
    assert table.times is not None
    return [str(time)[:10] for time in table.times.view("datetime64[us]")]


BROKEN = ["", "1", "2", "absent", "absent", "8", "", "10", ""]
FILLED = {
    "interpolate": [1, 2, 4, 6, 8, 9, 10],
    "previous": [1, 2, 2, 2, 8, 8, 10, 10],
    "zero": [0, 1, 2, 0, 0, 8, 0, 10, 0],
}


@pytest.mark.parametrize("way", FILLED)
def test_missing_times_and_values_are_filled_as_asked(way: str, tmp_path: Path) -> None:
    table = read_table(TrainConfig(data=written(tmp_path, days(BROKEN)), gaps=way))

    assert table.values.tolist() == FILLED[way]
    first = 0 if way == "zero" else 1
    expected = [str(np.datetime64("2024-01-01") + first + k) for k in range(len(FILLED[way]))]
    assert times(table) == expected
    assert table.read["gaps"] == f"5: {way}"
    assert (table.read["missing_times"], table.read["missing_values"]) == (2, 3)


def test_split_lets_no_window_reach_over_a_gap(tmp_path: Path) -> None:
    values = [str(k) for k in range(20)] + ["absent", ""] + [str(k) for k in range(22, 50)]

    rows = load_rows(TrainConfig(data=written(tmp_path, days(values)), gaps="split", window=4))

    np.testing.assert_allclose(np.diff(rows.windows, axis=1), 1)
    np.testing.assert_allclose(rows.targets, rows.windows[:, -1] + 1)
    assert len(rows.targets) == (20 - 4) + (28 - 4)


@pytest.mark.parametrize("way", ["interpolate", "previous", "zero"])
def test_a_gap_of_one_series_is_not_filled_from_another(way: str, tmp_path: Path) -> None:
    first, second = days(["1", "2", "absent", "4"]), days(["100", "absent", "102", "103"])
    lines = [("a", *row) for row in first] + [("b", *row) for row in second]
    path = tmp_path / "stacked.csv"
    path.write_text("\n".join(["unique_id,ds,y", *(",".join(line) for line in lines)]))

    a, b = read_table(TrainConfig(data=path, gaps=way)).series()

    assert a.values.tolist() == [1, 2, {"interpolate": 3, "previous": 2, "zero": 0}[way], 4]
    assert b.values.tolist() == [100, {"interpolate": 101, "previous": 100, "zero": 0}[way], 102, 103]


def test_months_are_filled_on_their_last_days(tmp_path: Path) -> None:
    ends = ["2024-01-31", "2024-02-29", "2024-03-31", "2024-06-30", "2024-07-31"]

    path = written(tmp_path, list(zip(ends, "12367", strict=True)))
    table = read_table(TrainConfig(data=path, gaps="interpolate"))

    assert times(table) == [*ends[:3], "2024-04-30", "2024-05-31", *ends[3:]]
    np.testing.assert_allclose(table.values, [1, 2, 3, 4, 5, 6, 7])


def test_a_weekend_is_no_gap_of_business_days_but_a_holiday_is(tmp_path: Path) -> None:
    weekdays = [day for day in np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]") if np.is_busday(day)]
    rows = [(str(day), str(k)) for k, day in enumerate(weekdays) if str(day) != "2024-02-14"]

    with pytest.raises(
        SeriesError, match=r"1 time is missing \(frequency: business day\), the first between 2024-02-13"
    ):
        read_table(TrainConfig(data=written(tmp_path, rows)))
    filled = read_table(TrainConfig(data=written(tmp_path, rows), gaps="interpolate"))
    assert filled.values.tolist() == list(range(len(weekdays)))
    assert times(filled) == [str(day) for day in weekdays]


def test_with_no_frequency_asked_for_times_only_order_the_rows(tmp_path: Path) -> None:
    path = written(tmp_path, days([str(k) if k % 5 else "absent" for k in range(30)]))

    table = read_table(TrainConfig(data=path, frequency="none"))

    assert table.frequency is None
    assert len(table.values) == 24


def test_a_frequency_that_would_fill_a_table_up_is_refused(tmp_path: Path) -> None:
    rows = [*days([str(k) for k in range(30)]), ("2524-01-01", "3")]

    with pytest.raises(SeriesError, match=r"would make 182,\d+ rows of 31; is a time wrong\?"):
        read_table(TrainConfig(data=written(tmp_path, rows), gaps="interpolate"))


MERGED = {"last": [1, 7, 3], "mean": [1, 4, 3], "sum": [1, 12, 3]}


@pytest.mark.parametrize("way", MERGED)
def test_rows_of_one_time_become_one_as_asked(way: str, tmp_path: Path) -> None:
    rows = [("2024-01-01", "1"), ("2024-01-02", "3"), ("2024-01-02", "2"), ("2024-01-03", "3"), ("2024-01-02", "7")]

    table = read_table(TrainConfig(data=written(tmp_path, rows), duplicates=way))

    assert table.values.tolist() == MERGED[way]
    assert table.read["duplicates"] == f"2: {way}"


def test_the_first_three_of_duplicated_times_are_named(tmp_path: Path) -> None:
    rows = days([str(k) for k in range(40)])
    rows += rows[3:9]

    with pytest.raises(SeriesError) as caught:
        read_table(TrainConfig(data=written(tmp_path, rows)))

    expected = "6 rows have a time that was there already: 2024-01-04 on line 5 and line 42; "
    expected += "2024-01-05 on line 6 and line 43; 2024-01-06 on line 7 and line 44; type --duplicates"
    assert expected in str(caught.value)


def test_dates_that_run_backwards_beside_a_series_taken_as_it_stands_are_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, days([str(k) for k in range(40)])[::-1])

    with pytest.raises(SeriesError, match=r"column 'ds' runs backwards, from '2024-02-09' to '2024-01-01'.*--time ds"):
        read_table(TrainConfig(data=path, time="none"))
