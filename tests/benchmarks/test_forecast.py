"""`make bench-forecast`: tables and picture from kept scores, those of `make bench-forecast-neural` among them."""

import csv
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from benchmarks.forecast import main
from benchmarks.forecasts.competitions import Group, groups
from benchmarks.forecasts.kept import FOLDER, kept
from benchmarks.forecasts.neural import file_of
from benchmarks.forecasts.scores import Scores
from benchmarks.forecasts.tables import LINEAR, PAIR

Tables = Callable[[Mapping[str, float]], str]


def scores(series: int, smape: float, *, intervals: bool) -> Scores:
    """The same for each of a number of series."""
    by_level = {80: [0.8] * series, 95: [0.95] * series} if intervals else {}
    return Scores([smape] * series, [smape / 10] * series, 100.0, by_level, by_level)


def keep(group: Group, neural: float | None) -> None:
    """Keep scores of a group, those of neuralforecast only if there is an sMAPE for it."""
    series, name = len(group.series), f"{group.competition}-{group.frequency}"
    kept(f"{name}-standard", lambda: {"AutoETS": scores(series, 12, intervals=True)})
    networks = {PAIR: scores(series, 10, intervals=True), LINEAR: scores(series, 11, intervals=False)}
    kept(f"{name}-networks-0", lambda: networks)
    if neural is not None:
        kept(file_of(group), lambda: {"neuralforecast MLP": scores(series, neural, intervals=False)})


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tables:
    """What the command prints of M1. Its argument: the sMAPE of neuralforecast by frequency."""

    def printed(neural: Mapping[str, float]) -> str:
        for group in groups("M1"):
            keep(group, neural.get(group.frequency))
        main()
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["forecast", "--competitions", "M1"])
    return printed


def cells(printed: str, method: str) -> list[str]:
    (line,) = re.findall(rf"^\| {re.escape(method)} \|.*$", printed, re.MULTILINE)
    return [cell.strip() for cell in str(line).strip("|").split("|")[1:]]


def test_the_table_has_a_row_of_neuralforecast_with_dashes_for_its_intervals(tables: Tables) -> None:
    printed = tables({"yearly": 20, "quarterly": 21, "monthly": 22})

    overall = (181 * 20 + 203 * 21 + 617 * 22) / 1001
    intervals = ["-", "-", "-", "-"]
    assert cells(printed, "neuralforecast MLP") == [
        *("20.00", "21.00", "22.00", f"{overall:.2f}", f"{overall / 10:.3f}", *intervals, "300")
    ]
    assert cells(printed, PAIR)[3:] == ["10.00", "1.000", "80.0", "95.0", "0.80", "0.95", "300"]


def test_a_method_without_scores_in_a_group_has_dashes_there_and_over_all_groups(tables: Tables) -> None:
    printed = tables({"quarterly": 21})

    assert cells(printed, "neuralforecast MLP") == ["-", "21.00", *["-"] * 8]


def test_the_csv_file_has_every_column_by_group_and_over_all_groups_for_the_methods_that_have_scores(
    tables: Tables,
) -> None:
    tables({"quarterly": 21})

    with (FOLDER / "forecasts.csv").open(newline="") as file:
        rows = {(row["group"], row["method"]): row for row in csv.DictReader(file)}
    assert [rows["yearly", PAIR][name] for name in ("series", "sMAPE", "80 %", "width 95", "CPU s")] == [
        *("181", "10.00", "80.0", "0.95", "100")
    ]
    assert [rows["all", "AutoETS"][name] for name in ("competition", "series", "MASE")] == ["M1", "1001", "1.200"]
    assert rows["quarterly", "neuralforecast MLP"]["95 %"] == ""
    assert ("all", "neuralforecast MLP") not in rows


def test_the_picture_has_the_other_methods_only(tables: Tables) -> None:
    tables({"yearly": 20, "quarterly": 21, "monthly": 22})

    picture = (FOLDER / "forecasts.svg").read_text()
    assert "<!-- AutoETS -->" in picture
    assert "neuralforecast" not in picture


def test_without_scores_of_neuralforecast_the_table_has_the_other_methods(tables: Tables) -> None:
    printed = tables({})

    assert "neuralforecast" not in printed
    assert cells(printed, "AutoETS")[:3] == ["12.00", "12.00", "12.00"]
