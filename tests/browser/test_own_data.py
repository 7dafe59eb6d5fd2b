"""User data on the page: typed numbers, pasted and dropped tables, read in the same way as by training."""

import base64
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.airline import MONTHS, passengers
from tests.training.data.test_tables import PLAIN, READ, REFUSED, TABLES
from training.config import TrainConfig
from training.data.series import load_rows

pytestmark = pytest.mark.browser

# {values, stamps} of a file with the columns that the page guesses, or {error}.
READ_IN_PAGE = """async ([name, bytes]) => {
  const [{ readTable }, { readFile }, { guessRoles, idsOf, tableSeries }, { Unreadable }] = await Promise.all(
    ["table", "dialect", "series", "numbers"].map((module) => import(`/static/${module}.js`)));
  const file = new File([Uint8Array.from(atob(bytes), (byte) => byte.charCodeAt(0))], name);
  try {
    const table = readTable(await readFile(file));
    const roles = guessRoles(table);
    const { values, times } = tableSeries(table, { ...roles, series: idsOf(table, roles)[0] }, []);
    return { values, stamps: times && times.stamps };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { error: error.message };
  }
}"""
NOT_TEXT = {name for name in READ if not name.endswith((".csv", ".tsv", ".txt", ".csv.gz"))}
# Training refuses these without flags, for reasons that do not affect a forecast from the last window.
FLAGGED = {name for name, (flags, *_) in READ.items() if flags} - {"clocks_put_back.csv"}
READ_THOUGH_REFUSED = {
    "blank_line_without_dates.csv": 34,
    "clocks_put_forward.csv": 20,
    "days_left_out.csv": 9,
    **{f"missing_{kind}.csv": 34 for kind in ("dash", "empty", "excel", "na", "nan", "null")},
    "short_line.csv": 34,
    "stacked_and_unnamed.csv": 40,
    "title_above_the_names.csv": 40,
    "too_few.csv": 24,
    "two_columns_of_dates.csv": 40,
    "two_columns_of_numbers.csv": 40,
    "units_below_the_names.csv": 40,
}
OTHER_VALUES = {
    "constant.csv", "constant_until_the_end.csv", "huge.csv", "no_names_and_whole_numbers.csv",
    "too_large_for_float32.csv",
}  # fmt: skip


def read_in(page: Page, path: Path) -> dict[str, Any]:
    content = base64.b64encode(path.read_bytes()).decode()
    found: dict[str, Any] = page.evaluate(READ_IN_PAGE, [path.name, content])
    return found


def test_tables_are_read_with_the_values_and_the_times_that_training_reads(mlp_page: Page) -> None:
    for name in READ.keys() - NOT_TEXT - FLAGGED - {"clocks_put_back.csv"}:
        found = read_in(mlp_page, TABLES / name)
        table = load_rows(TrainConfig(data=TABLES / name)).table

        assert table is not None
        np.testing.assert_allclose(np.array(found["values"]), PLAIN, rtol=1e-12, err_msg=name)
        if table.unit == "time" and table.times is not None:
            moments = [datetime.fromisoformat(stamp).replace(tzinfo=None) for stamp in found["stamps"]]
            assert moments == next(table.series()).times.tolist(), name
        else:
            assert found["stamps"] is None, name


def test_tables_that_training_refuses_are_refused_or_read_up_to_their_last_gap(mlp_page: Page) -> None:
    for name in sorted({path.name for path in TABLES.iterdir()} - READ.keys() | FLAGGED | {"clocks_put_back.csv"}):
        found = read_in(mlp_page, TABLES / name)
        if name in READ_THOUGH_REFUSED and name != "too_few.csv":
            np.testing.assert_allclose(np.array(found["values"]), PLAIN[-READ_THOUGH_REFUSED[name] :], err_msg=name)
        elif name in REFUSED and name not in OTHER_VALUES | {"too_few.csv"}:
            assert "error" in found, name


def test_files_that_are_no_text_are_refused_in_words(mlp_page: Page) -> None:
    for name in sorted(NOT_TEXT):
        assert re.search("export the table as CSV|the page reads CSV", read_in(mlp_page, TABLES / name)["error"]), name


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("5", r"7\.(8|79999)"),
        (" 1, 2, 3, 4, 5, ", r"7\.(8|79999)"),
        ("100;50 5", r"7\.(8|79999)"),
        ("1,5; 5,0", r"7\.(8|79999)"),
        ("1\n2\n5", r"7\.(8|79999)"),
        ("1,2,5", r"7\.(8|79999)"),
        ("0.5e1", r"7\.(8|79999)"),
    ],
)
def test_a_typed_list_of_numbers_is_read(mlp_page: Page, typed: str, shown: str) -> None:
    mlp_page.fill("#data", typed)

    expect(mlp_page.locator("#answer .value")).to_have_text(re.compile(shown))
    expect(mlp_page.locator("h1")).to_have_text("Y at the end of the window")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0x10", "“0x10” is not a number; write it like 1, 2.5 or -3e2."),
        ("1, 2, x, 4", "“x” is not a number; write it like 1, 2.5 or -3e2."),
        ("Infinity", "“Infinity” is not a number; write it like 1, 2.5 or -3e2."),
        ("1,5", "“1,5” may be one number or two; write 1.5, or 1; 5."),
        ("1,2; 3,4,5", "“3,4,5” is not a number; write it like 1, 2.5 or -3e2."),
        ("1e39", "value: Input should be less than"),
        (", ;", "At least one number is needed."),
        ("name\nfoo\nbar", "No column of this table holds numbers."),
    ],
)
def test_what_cannot_be_read_is_said_in_words_and_the_old_answer_goes(mlp_page: Page, typed: str, words: str) -> None:
    mlp_page.fill("#data", "5")
    expect(mlp_page.locator("#answer .value")).to_have_text(re.compile(r"7\.(8|79999)"))

    mlp_page.fill("#data", typed)

    expect(mlp_page.locator("#problem")).to_contain_text(words)
    expect(mlp_page.locator("#answer .value")).to_have_count(0)
    expect(mlp_page.locator("#result")).to_be_hidden()
    expect(mlp_page.locator("#warnings li")).to_have_count(0)


def test_a_series_that_is_shorter_than_the_window_is_told_how_many_are_needed(airline_page: Page) -> None:
    airline_page.fill("#data", "1 2 3")

    expect(airline_page.locator("#problem")).to_have_text("airline needs 24 values; these are 3.")
    expect(airline_page.locator("#answer .value")).to_have_count(0)


def test_a_dropped_table_is_forecast_from_its_end_with_its_dates(airline_page: Page) -> None:
    dates = [f"{month[8:]}.{month[5:7]}.{month[:4]}" for month in MONTHS]
    values = [f"{value:.1f}".replace(".", ",") for value in passengers().tolist()]
    text = "\r\n".join(["Monat;Gäste", *map(";".join, zip(dates, values, strict=True))])
    transfer = airline_page.evaluate_handle(
        """(text) => { const data = new DataTransfer();
        data.items.add(new File([text], "gäste.csv", { type: "text/csv" })); return data; }""",
        text,
    )
    airline_page.dispatch_event("#own", "drop", {"dataTransfer": transfer})

    expect(airline_page.locator("h1")).to_have_text("Gäste, the next 12 months")
    expect(airline_page.locator("#answer .when")).to_have_text(["Jan 1961", "Dec 1961"])
    expect(airline_page.locator("#warnings li")).to_have_count(0)
    expect(airline_page.locator("#own-back")).to_be_visible()
    airline_page.click("#own-back")
    expect(airline_page.locator("h1")).to_have_text("Passengers, the next 12 months")


def test_columns_series_decimals_and_order_of_dates_are_chosen(airline_page: Page) -> None:
    rows = [f"{shop};{month[8:]}/{month[5:7]}/{month[:4]};{k};{k + scale}.000"
            for shop, scale in (("north", 100), ("south", 500)) for k, month in enumerate(MONTHS[:36])]  # fmt: skip
    airline_page.fill("#data", "\n".join(["shop;day;count;sold", *rows]))
    expect(airline_page.locator("#problem")).to_contain_text("choose the decimal sign")
    airline_page.select_option("#choose-decimal", ".")
    expect(airline_page.locator("#answer .when").first).to_have_text("Jan 1952")
    expect(airline_page.locator("h1")).to_have_text("Sold of north, the next 12 months")

    airline_page.select_option("#choose-series", "south")
    expect(airline_page.locator("h1")).to_have_text("Sold of south, the next 12 months")
    airline_page.select_option("#choose-value", "count")
    expect(airline_page.locator("h1")).to_have_text("Count of south, the next 12 months")
    airline_page.select_option("#choose-time", "")
    expect(airline_page.locator("#answer .when").first).to_have_text("next value")


def test_values_outside_of_what_was_trained_on_are_warned_of_in_words(airline_page: Page) -> None:
    airline_page.fill("#data", " ".join(map(str, range(5000, 5024))))

    expect(airline_page.locator("#warnings")).to_contain_text("outside of what the model was trained on, 104 to 622")


def test_rows_of_another_frequency_are_warned_of(airline_page: Page) -> None:
    days = [f"2024-01-{1 + k:02},{100 + k}" for k in range(29)]
    airline_page.fill("#data", "\n".join(["day,sold", *days]))

    expect(airline_page.locator("#warnings")).to_contain_text("values are monthly, and yours are not")


def test_own_data_are_compared_with_what_really_came(airline_page: Page) -> None:
    rows = [f"{month},{value}" for month, value in zip(MONTHS, passengers().tolist(), strict=True)]
    airline_page.fill("#data", "\n".join(["month,passengers", *rows]))
    expect(airline_page.locator("#legend .held-out")).to_be_hidden()
    airline_page.focus("#end")
    for _ in range(3):
        airline_page.keyboard.press("ArrowLeft")

    expect(airline_page.locator("#comparison")).to_contain_text("of 3 inside the 80 % interval")
    expect(airline_page.locator("#comparison")).not_to_contain_text("training")
