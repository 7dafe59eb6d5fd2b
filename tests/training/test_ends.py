"""What a card keeps to draw, from tables with dates, zones, gaps and several series."""

import re
from typing import Any

import numpy as np
import pytest

from tests.repository import CHECKOUT
from training.config import TrainConfig
from training.data.rows import Rows
from training.data.series import load_rows
from training.data.table import Table
from training.ends import held_out_rows, tail_of
from training.values import Values

TABLES = CHECKOUT / "tests/data/tables"


def rows_of(name: str, **flags: Any) -> Rows:
    return load_rows(TrainConfig(data=TABLES / name, **flags))


def ends_of(rows: Rows) -> tuple[Values, Table | None]:
    return rows.values, rows.table


def test_the_tail_is_the_end_of_the_series_with_its_dates() -> None:
    tail = tail_of(*ends_of(rows_of("plain.csv")), 5)

    assert tail.times is not None
    assert (tail.times[0], tail.times[-1], len(tail.values)) == ("2023-11-20", "2023-12-29", 40)
    assert (tail.targets, tail.series) == (None, None)


@pytest.mark.parametrize(
    ("name", "flags", "last"),
    [
        ("quarter_hours.csv", {}, r"\d{4}-\d\d-\d\dT\d\d:\d\d:00$"),
        ("clocks_put_back_with_offsets.csv", {}, r".*T\d\d:\d\d:00Z$"),
        ("clocks_put_back.csv", {"time_zone": "Europe/Berlin"}, r".*T\d\d:\d\d:00\+01:00\[Europe/Berlin\]$"),
    ],
)
def test_times_are_written_with_the_zone_that_they_were_read_with(name: str, flags: dict[str, Any], last: str) -> None:
    times = tail_of(*ends_of(rows_of(name, **flags)), 5).times

    assert times is not None
    assert re.match(last, times[-1])


@pytest.mark.parametrize("name", ["steps.csv", "times_of_day.csv"])
def test_a_series_without_dates_has_no_times(name: str) -> None:
    rows = rows_of(name)

    assert tail_of(*ends_of(rows), 5).times is None
    held_out = rows.split(0.2, 1)[1]
    kept = held_out_rows(held_out.table, held_out.last + 1, held_out.targets, np.zeros(len(held_out.targets)))
    assert kept[0].time is None


def test_of_several_series_the_tail_is_the_last_one_s() -> None:
    rows = rows_of("stacked_with_field_names.csv")
    tail = tail_of(*ends_of(rows), 5)

    assert (tail.series, len(tail.values)) == ("south", 40)
    assert tail.values[0] == pytest.approx(12000)


def test_the_tail_begins_after_the_last_gap() -> None:
    tail = tail_of(*ends_of(rows_of("missing_na.csv", gaps="split")), 5)

    assert tail.times is not None
    assert tail.times[0] == "2023-11-26"


def test_another_column_to_predict_stands_beside_the_values() -> None:
    rows = rows_of("two_columns_of_numbers.csv", column="litres", target="degrees", horizon=2)
    tail = tail_of(*ends_of(rows), 5)

    assert tail.targets is not None
    assert tail.targets[:3] == [0, 1, 2]
    assert len(tail.targets) == 40
    assert tail.values[0] == 1200


def test_held_out_rows_have_the_time_of_their_target() -> None:
    rows = rows_of("plain.csv", horizon=3)
    held_out = rows.split(0.2, 3)[1]
    kept = held_out_rows(held_out.table, held_out.last + 3, held_out.targets, held_out.targets + 1)

    assert kept[-1].time == "2023-12-29"
    assert kept[-1].target == rows.values[-1]
    assert kept[-1].prediction == rows.values[-1] + 1
    assert len(kept) == len(held_out.targets)
