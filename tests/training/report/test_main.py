"""`python -m training report`: the page, the tables, the summary, and the two public series with known results."""

import csv
import json
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.repository import CHECKOUT
from training.__main__ import main
from training.report.config import ReportConfig
from training.report.kept import Result, Run, run_all
from training.report.public_series import SHAMPOO_PERSISTENCE, shampoo_runs, sunspot_runs
from training.report.rolling import RollingResults
from training.report.series_findings import shampoo_section, sunspots_section


def command(folder: Path, *arguments: str | int | Path) -> list[str]:
    places = ["--out", folder / "out", "--cache-dir", folder / "kept"]
    return [sys.executable, "-m", "training", "report", *map(str, [*arguments, *places])]


def reported(folder: Path, *arguments: str | int | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, *arguments), cwd=CHECKOUT, check=True, capture_output=True, text=True)


CONFIG = ReportConfig(quick=True, seeds=1, steps=20)
QUICK = ("--quick", "--seeds", 1, "--steps", 20)
OWN = ("--column", "x", "--steps", 20, "--seeds", 1)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a quick report with the smallest possible options."""
    folder = tmp_path_factory.mktemp("quick")
    reported_here(folder, *QUICK)
    return folder


def reported_here(folder: Path, *arguments: str | int | Path) -> Path:
    """The folder of a report whose runs are made in this process, so that each network is compiled once.

    What goes to another process and back is pickled here, too; test_kept.py spreads runs over processes.
    """

    def run_here(function: Callable[[Run], Result], runs: Sequence[Run]) -> Iterator[tuple[int, Result]]:
        for place, run in enumerate(runs):
            yield place, pickle.loads(pickle.dumps(function(pickle.loads(pickle.dumps(run)))))  # noqa: S301 - our own

    with (
        pytest.MonkeyPatch.context() as patch,
        (folder / "stdout").open("w") as stdout,
        (folder / "stderr").open("w") as stderr,
    ):
        patch.setattr("training.report.kept.run_in_processes", run_here)
        patch.setattr("sys.stdout", stdout)
        patch.setattr("sys.stderr", stderr)
        assert main(command(folder, *arguments)[3:]) == 0
    return folder


class Page(HTMLParser):
    """Tags with their attributes, and the text of titles and captions."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str | None]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def test_the_page_needs_no_other_host_or_file_and_serves_light_and_dark(quick: Path) -> None:
    text = (quick / "out" / "index.html").read_text()
    page = Page(text)

    assert not re.findall(r"\b(?:src|@import|url\((?!#))", re.sub(r"<a [^>]*>", "", text))
    assert set(re.findall(r"https?://[^/\"]+", text)) <= {"http://www.w3.org"}
    assert page.count("script") == 0
    assert "prefers-color-scheme: dark" in text
    assert "#0102" not in text  # every placeholder colour of a picture is replaced
    assert set(re.findall(r"var\((--\w+)\)", text)) <= set(re.findall(r"(--\w+):", text))


def test_the_page_can_be_read_without_seeing_it_or_with_keys_alone(quick: Path) -> None:
    text = (quick / "out" / "index.html").read_text()
    page = Page(text)

    assert re.search(r"<title>.+</title>", text)
    assert '<html lang="en">' in text
    assert page.count("table") == page.count("caption") > 10
    assert page.count("svg") == page.count("figcaption") == page.values("role").count("img") == 4
    assert all(label for label in page.values("aria-label"))
    assert page.values("class").count("wide") == page.values("tabindex").count("0")
    assert len(set(page.values("id"))) == len(page.values("id"))


def test_every_table_and_picture_of_the_page_is_a_file_too(quick: Path) -> None:
    out = quick / "out"
    links = [
        str(link) for link in Page((out / "index.html").read_text()).values("href") if not str(link).startswith("#")
    ]

    files = [link for link in links if link != "data:,"]
    assert all((out / file).exists() for file in files)
    for file in (file for file in files if file.endswith(".csv")):
        with (out / file).open() as lines:
            rows = list(csv.DictReader(lines))
        records = json.loads((out / file).with_suffix(".json").read_text())["rows"]
        assert len(rows) == len(records) > 0
        for row, record in zip(rows, records, strict=True):
            assert {k: v for k, v in row.items() if v} == {k: str(v) for k, v in record.items() if v not in (None, "")}


def test_the_summary_tells_command_date_versions_and_seeds_and_shows_the_tables(quick: Path) -> None:
    text = (quick / "out" / "summary.md").read_text()

    assert "Made by `python -m training report --quick --seeds 1 --steps 20` on 20" in text
    assert "with seeds 0 on" in text
    assert re.search(r"Python 3\.\d+\.\d+, tensorflow \d\S+, keras \d\S+, numpy \d", text)
    assert text.count("|---|") > 10
    for picture in re.findall(r"\]\((\S+\.svg)\)", text):
        assert (quick / "out" / picture).read_text().startswith("<svg")


def test_persistence_on_shampoo_sales_has_the_rmse_of_the_public_tutorials(quick: Path) -> None:
    runs = shampoo_runs(CONFIG)

    results = run_all(runs, quick / "kept")

    assert len(runs) == 12
    assert float(RollingResults(runs, results).rmse("persistence")[0]) == pytest.approx(SHAMPOO_PERSISTENCE, abs=0.0005)
    assert "it agrees" in shampoo_section(runs, results).lead


def test_least_squares_on_sunspots_is_the_autoreg_of_statsmodels(quick: Path) -> None:
    runs = sunspot_runs(CONFIG)

    results = run_all(runs, quick / "kept")

    found = RollingResults(runs, results)
    np.testing.assert_allclose(found.errors("linear"), found.errors("autoreg"), atol=1e-4)
    assert found.rmse("autoreg")[0] < found.rmse("persistence")[0]
    assert "statsmodels' AutoReg(10) and" in sunspots_section(runs, results).lead


def test_what_is_said_of_the_known_results_is_that_they_agree(quick: Path) -> None:
    text = (quick / "stdout").read_text()

    assert "136.761 here and 136.761 in the public tutorials: it agrees" in text
    assert "The RMSE is 16.5 for statsmodels' AutoReg(10) and 16.5 for linear least squares here" in text


def test_every_contender_is_in_every_case_of_the_span_experiment(quick: Path) -> None:
    with (quick / "out" / "span-all.csv").open() as lines:
        rows = list(csv.DictReader(lines))

    assert len(rows) == 3 * 3 * 3 * 7
    noisy = [row for row in rows if row["target"] == "noisy sum" and row["model"] == "linear least squares"]
    assert np.median([float(row["over the floor"]) for row in noisy]) == pytest.approx(1, abs=0.1)


def test_progress_counts_the_runs_and_nothing_else_is_said(quick: Path) -> None:
    lines = (quick / "stderr").read_text().splitlines()

    assert all(re.fullmatch(r"run \d+/\d+", line) for line in lines)
    assert len(set(lines)) == 10


def test_a_report_that_is_asked_for_again_runs_nothing_and_is_the_same(quick: Path) -> None:
    before = (quick / "out" / "index.html").read_text()

    again = reported(quick, *QUICK)

    assert again.stderr == ""
    assert (quick / "out" / "index.html").read_text() == before


@pytest.fixture
def series(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    values = np.random.default_rng(0).normal(size=120).cumsum()
    path.write_text("\n".join(["day,x", *(f"{day},{value}" for day, value in enumerate(values))]))
    return path


def test_a_series_of_ones_own_is_advised_on(series: Path, tmp_path: Path) -> None:
    said = (reported_here(tmp_path, *OWN, "--csv", series) / "stdout").read_text()

    assert "own.csv, x\n  Persistence is not beaten by any model; do not deploy a model. RMSE " in said
    assert str(tmp_path) not in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.soak  # the fits of which it is made are compared in tests/training
def test_a_report_made_again_has_the_same_numbers(series: Path, tmp_path: Path) -> None:
    said, again = (reported(tmp_path / folder, *OWN, "--csv", series) for folder in ("first", "second"))

    assert said.stdout.replace("first", "second") == again.stdout
    found = [results(tmp_path / folder / "kept", "predictions") for folder in ("first", "second")]
    assert len(found[0]) == 5
    assert sorted(found[0]) == sorted(found[1])


def results(folder: Path, key: str) -> list[str]:
    return [json.dumps(json.loads(file.read_text())["result"][key]) for file in folder.glob("*.json")]


@pytest.mark.soak
def test_an_interrupted_report_leaves_no_process_and_goes_on_from_the_finished_runs(
    series: Path, tmp_path: Path
) -> None:
    arguments = command(tmp_path, "--csv", series, "--column", "x", "--steps", 8000, "--seeds", 4)
    finished: dict[str, int] = {}
    left = 20
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        with subprocess.Popen(arguments, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True) as run:
            assert run.stderr is not None
            assert re.fullmatch(rf"run \d+/{left}\n", run.stderr.readline())
            children = psutil.Process(run.pid).children(recursive=True)
            run.send_signal(number)
            assert run.wait() == code
        assert psutil.wait_procs(children, timeout=20)[1] == []
        kept = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "kept").glob("*.json")}
        assert kept.items() > finished.items()
        finished, left = kept, 20 - len(kept)

    assert left > 0
    subprocess.run(arguments, cwd=CHECKOUT, check=True, capture_output=True)

    now = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "kept").glob("*.json")}
    assert now.items() > finished.items()
    assert len(now) == 20


def test_a_window_that_leaves_too_few_rows_is_refused(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series.write_text("x\n" + "\n".join(map(str, range(24))))

    assert main(["report", "--csv", str(series), "--column", "x"]) == 2
    assert "24 values make 19 windows of 5; at least 20 are needed" in capsys.readouterr().err


REFUSED = {
    "a column that is not there": (
        "--csv {0} --column y",
        2,
        "column 'y' (--column) is missing; the columns are 'day', 'x'",
    ),
    "a file that is not there": ("--csv {0}.none --column x", 2, "own.csv.none: No such file or directory"),
    "a column without a file": ("--column x", 2, "--column needs --data"),
    "a window without a file": ("--window 3", 2, "--window needs --data"),
    "no seed": ("--seeds 0", 2, "--seeds: Input should be greater than or equal to 1"),
    "a folder that is a file": ("--quick --out {0}", 1, "File exists"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_reported_on_is_refused_before_anything_runs(
    arguments: str,
    code: int,
    message: str,
    series: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(series.parent)

    assert main(["report", *arguments.format(series).split()]) == code

    said = capsys.readouterr().err
    assert said.startswith("training: ")
    assert message in said
    assert not (series.parent / ".cache").exists()


def test_the_summary_in_docs_is_of_a_default_report_and_has_what_a_report_has_today(quick: Path) -> None:
    docs = CHECKOUT / "docs" / "report"
    kept, today = ((folder / "summary.md").read_text() for folder in (docs, quick / "out"))

    assert "Made by `python -m training report` on " in kept
    for pattern in (r"^## .*", r"\]\((\S+\.svg)\)"):
        assert re.findall(pattern, kept, re.MULTILINE) == re.findall(pattern, today, re.MULTILINE)
    assert "136.761 here and 136.761 in the public tutorials: it agrees" in kept
    for name in re.findall(r"\]\((\S+\.svg)\)", kept):
        assert (docs / name).stat().st_size < 200_000
