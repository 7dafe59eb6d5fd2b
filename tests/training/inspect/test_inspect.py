"""`python -m training inspect`: its text and JSON output, and its exit code."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.repository import CHECKOUT
from training.__main__ import main

TABLES = CHECKOUT / "tests/data/tables"


def inspected(path: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, Any]]:
    code = main(["inspect", "--data", str(path), "--json", *flags])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def codes(found: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(problem["code"], problem["refused"]) for problem in found["problems"]]


def test_a_clean_table_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    path = TABLES / "semicolons_and_decimal_commas.csv"

    code = main(["inspect", "--data", str(path)])

    assert code == 0
    assert capsys.readouterr().out == (
        f"file        {path}: CSV, utf-8, LF, semicolon, decimal ,\n"
        "columns     value 'litres', time 'day' (%Y-%m-%d)\n"
        "rows        40 rows, 2023-11-20 to 2023-12-29, oldest first\n"
        "frequency   D (day), season of 7\n"
        "\n"
        "columns\n"
        "  'day'                    time    time    '2023-11-20', '2023-11-21', '2023-11-22'\n"
        "  'litres'                 number  value   '1200,0', '1213,85', '1226,44'\n"
        "\n"
        "problems\n"
        "  none\n"
        "\n"
        "a run accepts this table\n"
    )


def test_json_says_the_same_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = inspected(TABLES / "stacked_with_field_names.csv", capsys)

    assert code == 0
    assert (found["series"], found["rows"], found["frequency"], found["season"]) == (2, 80, "D", 7)
    assert (found["first"], found["last"], found["accepted"]) == ("2023-11-20", "2023-12-29", True)
    assert found["read"]["roles"] == {"value": "y", "target": "y", "time": "ds", "id": "unique_id"}
    assert [(column["name"], column["role"]) for column in found["columns"]] == [
        ("unique_id", "id"),
        ("ds", "time"),
        ("y", "value"),
    ]


STOPS = {
    "a_time_twice.csv": ("D001", "type --duplicates last, mean or sum"),
    "days_left_out.csv": ("D002", "type --gaps interpolate, previous, zero or split (no window reaches over a gap)"),
    "missing_na.csv": ("D003", "type --gaps interpolate, previous, zero or split (no window reaches over a gap)"),
    "too_few.csv": ("S001", "give more rows, rows that vary, or another --column or --window"),
    "constant.csv": ("S001", "give more rows, rows that vary, or another --column or --window"),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_stops_a_run_has_a_code_and_the_flag_that_answers_it(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = inspected(TABLES / name, capsys)

    assert code == 2
    assert not found["accepted"]
    assert STOPS[name] in [(p["code"], p["flags"]) for p in found["problems"] if p["refused"]]


def test_a_problem_that_a_flag_answers_is_none_any_more(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = inspected(TABLES / "days_left_out.csv", capsys, "--gaps", "interpolate")

    assert (code, codes(found)) == (0, [])
    assert (found["rows"], found["read"]["gaps"]) == (40, "4: interpolate")


def test_what_the_values_show_is_noted_and_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = [*np.zeros(5), *np.arange(1, 41), *np.full(12, 41), -3, 4000]
    days = np.datetime64("2024-01-01") + np.arange(len(values))
    rows = [f"{day},{value:g},rain" for day, value in zip(days, values, strict=True)]
    (tmp_path / "odd.csv").write_text("\n".join(["date,visits,weather", *rows]))

    code, found = inspected(tmp_path / "odd.csv", capsys)

    assert code == 0
    assert codes(found) == [(name, False) for name in ("F001", "V001", "V002", "V003", "V004")]
    said = {problem["code"]: problem["text"] for problem in found["problems"]}
    assert said["F001"] == "columns of text that are not used: 'weather'"
    assert said["V001"] == "1 value is negative: the first at 2024-02-27"
    assert said["V002"] == "1 series begins with zeros, 5 at most"
    assert said["V003"].endswith("the longest has 12 rows of 41, from 2024-02-15")
    assert said["V004"].endswith("the first is 4000 at 2024-02-28")
    assert (found["zeros"], found["negatives"]) == (5, 1)


def test_a_series_that_would_be_left_out_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = inspected(TABLES / "one_series_too_short.csv", capsys)

    assert (code, codes(found)) == (0, [("S001", False)])
    assert "1 of 2 series will be left out: 'new' has 4 rows in one piece, needs 7" in found["problems"][0]["text"]


def test_a_file_that_is_no_table_exits_2_with_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["inspect", "--data", str(TABLES / "a_picture.csv")])

    assert code == 2
    assert capsys.readouterr().err.startswith(f"training: {TABLES / 'a_picture.csv'}: is a picture")


def test_without_a_file_the_flag_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect"]) == 2
    assert "--data FILE is needed" in capsys.readouterr().err


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    content = (TABLES / "plain.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    code, found = inspected(Path("-"), capsys)

    assert (code, found["file"], found["rows"]) == (0, "standard input", 40)


def test_neither_tensorflow_nor_keras_is_loaded() -> None:
    script = (
        "import sys; from training.__main__ import main; "
        f"assert main(['inspect', '--data', {str(TABLES / 'plain.csv')!r}]) == 0; "
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )

    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, cwd=CHECKOUT)
