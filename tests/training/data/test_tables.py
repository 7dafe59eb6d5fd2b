"""Every file of tests/data/tables: read as the same forty values, or refused with a message that says what to do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.repository import CHECKOUT
from training.config import TrainConfig
from training.data.errors import SeriesError
from training.data.series import load_rows
from training.data.table import Table

TABLES = CHECKOUT / "tests/data/tables"


def read(name: str, **flags: Any) -> Table:
    table = load_rows(TrainConfig(data=TABLES / name, **flags)).table
    assert table is not None
    return table


PLAIN = np.loadtxt(TABLES / "plain.csv", delimiter=",", skiprows=1, usecols=1)

# By file: flags, frequency, season, and further entries of `read`.
READ: dict[str, tuple[dict[str, Any], str | None, int, dict[str, Any]]] = {
    "plain.csv": ({}, "D", 7, {"order": "oldest first", "time_format": "%Y-%m-%d", "gaps": "none"}),
    "semicolons.csv": ({}, "D", 7, {"dialect.delimiter": "semicolon"}),
    "tabs.tsv": ({}, "D", 7, {"dialect.delimiter": "tab"}),
    "bars.txt": ({}, "D", 7, {"dialect.delimiter": "bar"}),
    "semicolons_and_decimal_commas.csv": ({}, "D", 7, {"numbers.decimal": ","}),
    "quoted_decimal_commas.csv": ({}, "D", 7, {"numbers.decimal": ",", "dialect.delimiter": "comma"}),
    "byte_order_mark.csv": ({}, "D", 7, {"dialect.encoding": "utf-8", "roles.time": "day"}),
    "utf_16.csv": ({}, "D", 7, {"dialect.encoding": "utf-16"}),
    "utf_16_without_mark.csv": ({}, "D", 7, {"dialect.encoding": "utf-16-le"}),
    "windows_1252.csv": ({}, "D", 7, {"dialect.encoding": "cp1252", "roles.value": "débit"}),
    "crlf.csv": ({}, "D", 7, {"dialect.line_ends": "CRLF"}),
    "cr.csv": ({}, "D", 7, {"dialect.line_ends": "CR"}),
    "all_quoted.csv": ({}, "D", 7, {}),
    "single_quotes.csv": ({}, "D", 7, {"dialect.quote": "'"}),
    "line_breaks_in_a_cell.csv": ({}, "D", 7, {}),
    "comment_lines.csv": ({}, "D", 7, {}),
    "trailing_delimiters.csv": ({}, "D", 7, {}),
    "empty_last_rows.csv": ({}, "D", 7, {}),
    "blank_line_between_dated_rows.csv": ({}, "D", 7, {}),
    "excel_sep_line.csv": ({}, "D", 7, {"dialect.delimiter": "semicolon"}),
    "title_above_the_names.csv": ({"header_line": 2}, "D", 7, {}),
    "units_below_the_names.csv": ({"units_line": True}, "D", 7, {}),
    "pandas_index.csv": ({}, "D", 7, {"roles.value": "litres"}),
    "pandas_series.csv": ({}, "D", 7, {"roles.time": "column_1", "roles.value": "0"}),
    "r_row_names.csv": ({}, "D", 7, {"roles.value": "litres"}),
    "no_names.csv": ({}, "D", 7, {"roles.value": "column_2"}),
    "thousands_commas.csv": ({}, "D", 7, {"numbers.thousands": "separated"}),
    "thousands_points.csv": ({}, "D", 7, {"numbers.decimal": ",", "numbers.thousands": "separated"}),
    "thousands_spaces.csv": ({}, "D", 7, {"numbers.thousands": "separated"}),
    "percent.csv": ({}, "D", 7, {"numbers.unit": "%"}),
    "dollars.csv": ({}, "D", 7, {"numbers.currency": "$"}),
    "kilograms.csv": ({}, "D", 7, {"numbers.unit": "kg"}),
    "arabic_digits.csv": ({}, "D", 7, {}),
    "fortran_exponents.csv": ({}, "D", 7, {}),
    "day_month_year.csv": ({}, "D", 7, {"time_format": "%d/%m/%Y"}),
    "month_day_year.csv": ({}, "D", 7, {"time_format": "%m/%d/%Y"}),
    "points_in_dates.csv": ({}, "D", 7, {"time_format": "%d.%m.%y"}),
    "first_of_each_month.csv": ({}, "MS", 12, {"time_format": "%d/%m/%Y"}),
    "month_names.csv": ({}, "MS", 12, {"time_format": "%B %Y"}),
    "german_month_names.csv": ({}, "D", 7, {}),
    "month_ends.csv": ({}, "ME", 12, {}),
    "quarters.csv": ({}, "QS", 4, {}),
    "years.csv": ({}, "YS", 1, {"time_format": "%Y"}),
    "iso_weeks.csv": ({}, "W-MON", 52, {}),
    "business_days.csv": ({}, "B", 5, {}),
    "quarter_hours.csv": ({}, "15min", 96, {}),
    "am_and_pm.csv": ({}, "h", 24, {"time_format": "%m/%d/%Y %I:%M %p"}),
    "times_of_day.csv": ({}, "min", 60, {"time_format": "%H:%M:%S"}),
    "clocks_put_back_with_offsets.csv": ({}, "15min", 96, {"time_zone": "offsets in the text"}),
    "clocks_put_back.csv": ({"time_zone": "Europe/Berlin"}, "15min", 96, {"time_zone": "Europe/Berlin"}),
    "clocks_put_forward.csv": ({"time_zone": "Europe/Berlin"}, "15min", 96, {"duplicates": "none", "gaps": "none"}),
    "excel_serial_dates.csv": ({}, "D", 7, {"time_format": "Excel serial date"}),
    "unix_seconds.csv": ({}, "h", 24, {"time_format": "unix time"}),
    "unix_milliseconds.csv": ({}, "h", 24, {"time_format": "unix-ms time"}),
    "steps.csv": ({}, "step", 1, {"time_format": "steps"}),
    "no_frequency.csv": ({}, None, 1, {"frequency": None}),
    "newest_first.csv": ({}, "D", 7, {"order": "newest first"}),
    "shuffled.csv": ({}, "D", 7, {"order": "mixed"}),
    "two_columns_of_numbers.csv": ({"column": "litres"}, "D", 7, {}),
    "two_columns_of_dates.csv": ({"time": "ordered"}, "D", 7, {"roles.time": "ordered"}),
    "decomposed_umlaut.csv": ({"column": "Umsätze"}, "D", 7, {}),
    "names_in_spaces.csv": ({"column": "net litres"}, "D", 7, {}),
    "compressed.csv.gz": ({}, "D", 7, {"dialect.compression": "gz"}),
    "compressed.csv.zst": ({}, "D", 7, {"dialect.compression": "zst"}),
    "compressed.zip": ({}, "D", 7, {"dialect.compression": "zip"}),
    "parquet.parquet": ({}, "D", 7, {"dialect.format": "parquet"}),
    "arrow.feather": ({}, "D", 7, {"dialect.format": "arrow"}),
    "json_lines.jsonl": ({}, "D", 7, {"dialect.format": "json"}),
    "json_array.json": ({}, "D", 7, {"dialect.format": "json"}),
    "excel.xlsx": ({}, "D", 7, {"dialect.format": "Excel", "dialect.sheet": "Pump 7"}),
    "excel_with_a_title.xlsx": ({"header_line": 3}, "D", 7, {}),
    "excel_with_two_sheets.xlsx": ({"sheet": "Pump 7"}, "D", 7, {"dialect.sheet": "Pump 7"}),
}


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_as_the_same_forty_values(name: str) -> None:
    flags, frequency, season, said = READ[name]

    table = read(name, **flags)

    np.testing.assert_allclose(table.values, PLAIN, rtol=1e-12)
    assert (table.frequency and table.frequency.name, table.season) == (frequency, season)
    for path, expected in said.items():
        found: Any = table.read
        for key in path.split("."):
            found = found[key]
        assert found == expected, path


GAPS = "type --gaps interpolate, previous, zero or split (no window reaches over a gap)"
MISSING = "1 value is missing: the first on line 7, column 'litres', which is {}; the longest gap is 1 row; " + GAPS
REFUSED: dict[str, str] = {
    "a_name_twice.csv": ", line 1: column 'litres' is there more than once; rename one of them",
    "a_picture.csv": ": is a picture; export the table as CSV, Parquet, Excel or JSON lines",
    "a_quote_left_open.csv": ", line 7 or below: is not CSV: a quote is opened and not closed",
    "a_time_missing.csv": ", line 7, column 'day': the time is missing (1 of 40 rows have none); fill it in",
    "a_time_that_is_none.csv": ", line 7, column 'day': 'soon' is no time in the format of the others",
    "a_time_twice.csv": ": 1 row has a time that was there already: 2023-11-25 on line 7 and line 8; "
    "type --duplicates last, mean or sum",
    "a_zero_byte.csv": ", line 7: holds a zero byte; the file is damaged or no text",
    "blank_line_without_dates.csv": ": " + MISSING.format("empty"),
    "clocks_put_back.csv": "2024-10-27 02:00 on line 18 and line 22; 2024-10-27 02:15 on line 19 and line 23; "
    "2024-10-27 02:30 on line 20 and line 24; the clocks were put back then; name the time zone, as --time-zone",
    "clocks_put_forward.csv": ": 4 times are missing (frequency: 15 minutes), the first between 2024-03-31 01:45 and "
    "2024-03-31 03:00 (line 22); the longest gap is 4 rows; the clocks were put forward then; name the time zone",
    "commas_and_points_mixed.csv": ", line 9, column 'litres': '1237,51' is not a number with a decimal point, as the "
    "other cells say; or type --decimal ,",
    "commas_before_three_digits.csv": ", line 2, column 'litres': '1,100' may have a decimal or thousands, and no "
    "other cell tells which; type --decimal . or --decimal ,",
    "points_before_three_digits.csv": ", line 2, column 'litres': '1.100' may have a decimal or thousands",
    "constant.csv": ": column 'litres' is constant (5 in every row)",
    "constant_until_the_end.csv": ": column 'litres': does not change in the 33 rows to train on (5 in each)",
    "cut_short.csv.gz": ": cannot be decompressed (Compressed file ended before",
    "day_or_month_first.csv": ", line 2, column 'day': '01/01/2023' may have the day or the month first, and no other "
    "row tells which; type --time-format day-first or --time-format month-first",
    "days_left_out.csv": ": 4 times are missing (frequency: day), the first between 2023-11-30 and 2023-12-04 "
    "(line 13); the longest gap is 3 rows; " + GAPS,
    "empty.csv": ": is empty",
    "excel_with_a_title.xlsx": ", sheet 'Pump 7', row 1: 'Pump 7 in litres' is not part of the table, which begins on "
    "row 3 with 'day', 'litres'; type --header-line 3",
    "excel_with_two_sheets.xlsx": ": has 2 sheets with cells ('Pump 7', 'Pump 8'); type --sheet NAME",
    "huge.csv": ": column 'litres': 1.28301e+28 is larger than 1e+18, too large for float32",
    "long_dates_without_quotes.csv": ", line 2: has 3 cells under 2 columns ('November 20', ' 2023', '1200.0'); a cell "
    "that holds the delimiter, as in 1,234 or in Jan 1, 2024, needs quotes around it",
    "long_line.csv": ", line 7: has 3 cells under 2 columns ('2023-11-25', '1244.54', '7')",
    "missing_dash.csv": ": " + MISSING.format("'-'"),
    "missing_empty.csv": ": " + MISSING.format("empty"),
    "missing_excel.csv": ": " + MISSING.format("'#N/A'"),
    "missing_na.csv": ": " + MISSING.format("'NA'"),
    "missing_nan.csv": ": " + MISSING.format("'NaN'"),
    "missing_null.csv": ": " + MISSING.format("'null'"),
    "names_alone.csv": ": has a line of names ('day', 'litres') and no rows",
    "no_names_and_whole_numbers.csv": ", line 1: '0' look like data and not like the names of columns; type "
    "--no-header if they are data",
    "percent_on_some.csv": ", line 11, column 'litres': '1221.94' has no % as the others have",
    "short_line.csv": ": " + MISSING.format("empty"),
    "stacked_and_unnamed.csv": "several series may stand below each other; type --id station, or --duplicates last",
    "text_among_numbers.csv": ", line 7, column 'litres': 'broken' is not a number",
    "thousands_without_quotes.csv": ", line 2: has 3 cells under 2 columns ('2023-11-20', '1', '200.00'); a cell that",
    "title_above_the_names.csv": ", line 1: 'Pump 7 in litres' is not part of the table, which begins on line 2 with "
    "'day', 'litres'; type --header-line 2",
    "too_few.csv": ": column 'litres': 24 values make 19 windows of 5; at least 20 are needed",
    "too_large_for_float32.csv": ": column 'litres' changes by 11.7 from row to row, but float32, in which networks "
    "compute, has only steps of 256 near 4155915338; subtract 4155915305 from the column",
    "true_and_false.csv": ": no column holds numbers alone; type --column NAME. The columns are:\n"
    "  'day' (time): '2023-11-20', '2023-11-21', '2023-11-22'\n  'litres' (text): 'True', 'False', 'False'",
    "two_columns_of_dates.csv": ": 'ordered', 'delivered' may all be the time; type --time NAME, or --time none.",
    "two_columns_of_numbers.csv": ": 2 columns of numbers may be the value; type --column NAME. The columns are:\n"
    "  'day' (time): '2023-11-20', '2023-11-21', '2023-11-22'\n  'litres' (number): '1200.0', '1213.85', '1226.44'\n"
    "  'degrees' (number): '0', '1', '2'",
    "two_currencies.csv": ", line 11, column 'litres': '€1221.94' has another unit than the others: '$', '€'",
    "two_files.zip": ": holds 2 files ('a.csv', 'b.csv'); unpack it and name one of them",
    "units_below_the_names.csv": ", line 2, column 'litres': 'l/h' is not a number; if this line holds units, type "
    "--units-line",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_is_refused_with_its_place_and_what_to_type(name: str) -> None:
    with pytest.raises(SeriesError) as caught:
        read(name)

    assert str(caught.value).startswith(str(TABLES / name))
    assert REFUSED[name] in str(caught.value)


def test_every_file_is_read_or_refused_by_a_test() -> None:
    apart = {
        *("brackets_for_minus.csv", "typographic_minus.csv", "stacked_with_field_names.csv"),
        "one_series_too_short.csv",
    }

    assert {path.name for path in TABLES.iterdir()} == READ.keys() | REFUSED.keys() | apart


@pytest.mark.parametrize("name", ["brackets_for_minus.csv", "typographic_minus.csv"])
def test_a_minus_may_be_written_otherwise(name: str) -> None:
    np.testing.assert_allclose(read(name).values, -PLAIN)


def test_series_below_each_other_are_told_apart_by_the_field_s_names_or_by_a_flag() -> None:
    found, named = read("stacked_with_field_names.csv"), read("stacked_and_unnamed.csv", id="station")

    for table in (found, named):
        north, south = table.series()
        assert (north.id, south.id) == ("north", "south")
        np.testing.assert_allclose(north.values, PLAIN)
        np.testing.assert_allclose(south.values, PLAIN * 10)
        assert str(south.times[0]) == "2023-11-20T00:00:00.000000"


def test_a_series_that_is_too_short_is_left_out_with_the_rows_that_it_needs() -> None:
    table = read("one_series_too_short.csv")

    np.testing.assert_allclose(table.values, PLAIN)
    assert table.left_out == {"new": "has 4 rows in one piece, needs 7"}


DECIDED = {
    ("commas_before_three_digits.csv", "."): 1100,
    ("commas_before_three_digits.csv", ","): 1.1,
    ("points_before_three_digits.csv", "."): 1.1,
    ("points_before_three_digits.csv", ","): 1100,
}


@pytest.mark.parametrize(("case", "first"), DECIDED.items())
def test_the_decimal_sign_is_decided_by_a_flag(case: tuple[str, str], first: float) -> None:
    assert read(case[0], decimal=case[1]).values[0] == first


@pytest.mark.parametrize(("order", "second"), [("day-first", "2023-01-02"), ("month-first", "2023-02-01")])
def test_day_or_month_first_is_decided_by_a_flag(order: str, second: str) -> None:
    table = read("day_or_month_first.csv", time_format=order, frequency="none")

    times = next(table.series()).times
    assert np.datetime64(second, "us") in times[:12]
    assert table.read["time_format"] == ("%d/%m/%Y" if order == "day-first" else "%m/%d/%Y")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match=r"none\.csv: No such file or directory"):
        load_rows(TrainConfig(data=tmp_path / "none.csv"))


def test_a_missing_column_is_refused_with_the_columns_and_the_nearest() -> None:
    expected = r"column 'litre' \(--column\) is missing; the columns are 'day', 'litres'; did you mean 'litres'\?"

    with pytest.raises(SeriesError, match=expected):
        read("plain.csv", column="litre")


def test_a_message_lists_ten_columns_of_three_hundred(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{k}" for k in range(300)) + "\n" + ",".join("1" * 300) + "\n")

    with pytest.raises(SeriesError) as caught:
        load_rows(TrainConfig(data=path, column="sales"))

    assert "'c9' and 290 more" in str(caught.value)
    assert "c10" not in str(caught.value)
