"""Unusual dialects, written by the test: a table of forty values is read back or refused."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from training.config import TrainConfig
from training.data.errors import SeriesError
from training.data.reading import read_table

VALUES = [round(1000 + 50 * math.sin(k / 3) + k % 7, 2) for k in range(40)]
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(k) for k in range(40)]
MONTHS = [dt.date(2020 + k // 12, k % 12 + 1, 1) for k in range(40)]


def text(head: str, rows: list[str]) -> str:
    return "\n".join([head, *rows]) + "\n"


def moment(seconds: int) -> str:
    return str(np.datetime64("2024-01-01T00:00:00") + seconds).replace("T", " ")


PLAIN = text("date,sales", [f"{day},{value}" for day, value in zip(DAYS, VALUES, strict=True)])
# By text: the frequency, and the format of the times.
READ: dict[str, tuple[str, str | None, str | None]] = {
    "year and month in columns": (
        text("year,month,v", [f"{day.year},{day.month},{v}" for day, v in zip(MONTHS, VALUES, strict=True)]),
        *("MS", "%Y-%m"),
    ),
    "year and quarter in columns": (
        text("Year,Quarter,v", [f"{1990 + k // 4}.0,{k % 4 + 1}.0,{v}" for k, v in enumerate(VALUES)]),
        *("QS", "%YQ%q"),
    ),
    "date and time in columns": (
        text("date,time,v", [f"2024-01-{1 + k // 24:02},{k % 24:02}:00,{v}" for k, v in enumerate(VALUES)]),
        *("h", "%Y-%m-%d %H:%M"),
    ),
    "months of six digits": (
        text("month,v", [f"{day:%Y%m},{v}" for day, v in zip(MONTHS, VALUES, strict=True)]),
        *("MS", "%Y%m"),
    ),
    "days of eight digits": (
        text("d,v", [f"{day:%Y%m%d},{v}" for day, v in zip(DAYS, VALUES, strict=True)]),
        *("D", "%Y%m%d"),
    ),
    "names after a hash": (PLAIN.replace("date,", "#date,"), "D", "%Y-%m-%d"),
    "a quote inside a cell": (
        text("date,v,note", [f'{day},{v},a 5" pipe' for day, v in zip(DAYS, VALUES, strict=True)]),
        *("D", "%Y-%m-%d"),
    ),
    "midnights without a time of day": (
        text("t,v", [f"{moment(21_600 * k).removesuffix(' 00:00:00')},{v}" for k, v in enumerate(VALUES)]),
        *("6h", "%Y-%m-%d %H:%M:%S"),
    ),
    "a mixture of line ends": (PLAIN.replace("\n", "\r\n", 20), "D", "%Y-%m-%d"),
    "spaces after the delimiter": (PLAIN.replace(",", ", "), "D", "%Y-%m-%d"),
    "a blank line after each": (PLAIN.replace("\n", "\n\n"), "D", "%Y-%m-%d"),
    "no end of the last line": (PLAIN.rstrip("\n"), "D", "%Y-%m-%d"),
    "times that are not quite regular": (
        text("t,v", [f"{moment(600 * k + k * 37 % 11)},{v}" for k, v in enumerate(VALUES)]),
        *(None, "%Y-%m-%d %H:%M:%S"),
    ),
}


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(content, newline="")
    return path


@pytest.mark.parametrize("name", READ)
def test_an_odd_text_is_read(name: str, tmp_path: Path) -> None:
    content, frequency, pattern = READ[name]

    table = read_table(TrainConfig(data=written(tmp_path, content)))

    np.testing.assert_allclose(table.values, VALUES)
    assert (table.frequency and table.frequency.name, table.read["time_format"]) == (frequency, pattern)


REFUSED = {
    "a total below": (
        PLAIN + "Total,40000\n",
        "line 42, column 'date': 'Total' is no time in the format of the others",
    ),
    "a source below": (PLAIN + "\nSource: us\n", "line 43, column 'date': 'Source: us' is no time in the format"),
    "an infinite value": (PLAIN.replace(str(VALUES[3]), "inf"), "line 5, column 'sales': 'inf' is not a number"),
    "a decimal comma without quotes": (
        text("v", [str(value).replace(".", ",") for value in VALUES]),
        "if the comma is the decimal sign, type --decimal ,",
    ),
    "titles above": ("Report\nof 2024\n" + PLAIN, "which begins on line 3 with 'date', 'sales'; type --header-line 3"),
    "a title with a comma": ("Report, 2024\n" + PLAIN, "if it holds the names, --header-line"),
    "an unknown delimiter": (PLAIN.replace(",", "~"), "no column holds numbers alone"),
    "names of columns alone, in a web page": ("<html><body>1</body></html>\n", "has a line of names"),
    "an id that is missing": (
        text("unique_id,ds,y", ["a,2024-01-01,1", ",2024-01-02,2"]),
        "line 3, column 'unique_id': the id is missing",
    ),
    "an unknown encoding": (PLAIN, "--encoding klingon: is not known"),
    "an unknown zone": (PLAIN, "--time-zone Mars/Base"),
    "an unknown frequency": (PLAIN, "--frequency: unknown frequency 'often'"),
}
FLAGS = {
    "an unknown encoding": {"encoding": "klingon"},
    "an unknown zone": {"time_zone": "Mars/Base"},
    "an unknown frequency": {"frequency": "often"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_odd_text_is_refused_with_what_to_type(name: str, tmp_path: Path) -> None:
    content, message = REFUSED[name]

    with pytest.raises(SeriesError) as caught:
        read_table(TrainConfig(data=written(tmp_path, content), **FLAGS.get(name, {})))  # type: ignore[arg-type]

    assert message in str(caught.value)


def test_the_line_of_a_cell_is_found_below_comments_and_cells_of_several_lines(tmp_path: Path) -> None:
    rows = [f'{day},{value},"one\ntwo"' for day, value in zip(DAYS, VALUES, strict=True)]
    rows[4] = '2024-01-05,broken,"one\ntwo"'

    with pytest.raises(SeriesError, match=r"line 12, column 'v': 'broken' is not a number"):
        read_table(TrainConfig(data=written(tmp_path, "# a comment\n\n" + text("date,v,note", rows)[:-1])))
