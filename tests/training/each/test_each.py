"""`--each`: a model for each series of a table, in one run that every test here looks at."""

import csv
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from artifact import LITERT_FILE, verify, versions
from tests.repository import CHECKOUT
from training.__main__ import main
from training.config import TrainConfig
from training.parser import parse

GOOD = ("Shop A", "Shop Ä/2")
NAMES = ("shop-a-linear", "shop-a-2-linear")


class Run(NamedTuple):
    """A run: its exit code, what it wrote to stdout and stderr, and where it published."""

    code: int
    out: str
    err: str
    models_dir: Path
    table: Path

    @property
    def arguments(self) -> list[str]:
        return each(self.table, self.models_dir)


def each(table: Path, models_dir: Path) -> list[str]:
    flags = ["--id", "shop", "--each", "--networks", "linear", "--jobs", "1", "--models-dir", str(models_dir)]
    return ["--data", str(table), *flags]


def write(path: Path, series: dict[str, list[float]]) -> Path:
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["shop", "units"])
        lines.writerows([name, value] for name, values in series.items() for value in values)
    return path


def good(seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    return [round(float(value), 2) for value in 100 + np.cumsum(random.normal(0, 3, 60))]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("each")
    series = {GOOD[0]: good(1), "flat": [5.0] * 60, GOOD[1]: good(2), "short": [1.0, 2.0, 3.0, 4.0]}
    table = write(folder / "shops.csv", series)
    with pytest.MonkeyPatch.context() as patch:
        out, err = folder / "out", folder / "err"
        with out.open("w") as stdout, err.open("w") as stderr:
            patch.setattr("sys.stdout", stdout)
            patch.setattr("sys.stderr", stderr)
            code = main(each(table, folder / "models"))
    return Run(code, out.read_text(), err.read_text(), folder / "models", table)


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Run:
    """The run's repository and table, to be changed."""
    models_dir = shutil.copytree(run.models_dir, tmp_path / "models")
    return run._replace(models_dir=models_dir, table=Path(shutil.copy(run.table, tmp_path / "shops.csv")))


def test_every_good_series_has_a_model_with_its_id_on_the_card(run: Run) -> None:
    cards = [verify(run.models_dir, name, 1).card for name in NAMES]

    assert [card.data.series for card in cards] == list(GOOD)
    assert [card.data.read and card.data.read["rows"] for card in cards] == [60, 60]
    assert "published in " in run.out
    assert "The published weights are fitted on all rows" in run.out
    assert run.out.splitlines()[1].split()[:2] == ["linear", "2"]


def test_series_that_fail_are_told_by_name_and_reason_in_a_table_and_a_file_with_exit_code_4(run: Run) -> None:
    with (run.models_dir / "failed-series.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert run.code == 4
    assert [(row["series"], row["name"]) for row in rows] == [("flat", "flat"), ("short", "short")]
    assert rows[0]["reason"] == "is constant (5 in every row)"
    assert "at least 20 are needed" in rows[1]["reason"]
    assert "2 series failed:" in run.err
    assert all(row["reason"] in run.err for row in rows)
    assert f"all of them are in {run.models_dir}/failed-series.csv" in run.err


def test_a_model_is_that_of_a_run_on_its_series_alone(run: Run, tmp_path: Path) -> None:
    alone = write(tmp_path / "shops.csv", {GOOD[0]: good(1)})
    flags = ["--id", "shop", "--networks", "linear", "--name", "shop-a", "--models-dir", str(tmp_path / "m")]

    assert main(["--data", str(alone), *flags]) == 0

    one, other = verify(tmp_path / "m", NAMES[0], 1), verify(run.models_dir, NAMES[0], 1)
    assert one.files[LITERT_FILE] == other.files[LITERT_FILE]
    for field in ("golden", "evaluation", "intervals", "shapes", "fitted", "held_out", "config", "data"):
        expected = json.loads(one.card.model_dump_json())[field]
        if field == "data":
            expected["series"] = GOOD[0]
        assert json.loads(other.card.model_dump_json())[field] == expected, field


def test_the_same_command_again_trains_nothing_and_says_so(copy: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(copy.arguments) == 4

    assert "2 series: published already, from the same data and by the same options" in capsys.readouterr().err
    assert [versions(copy.models_dir, name) for name in NAMES] == [[1], [1]]


def test_only_what_is_not_there_or_has_other_data_is_trained_again(copy: Run) -> None:
    shutil.rmtree(copy.models_dir / NAMES[0] / "1")
    write(copy.table, {GOOD[0]: good(1), GOOD[1]: [*good(2), 77.0]})

    assert main(copy.arguments) == 0

    assert [versions(copy.models_dir, name) for name in NAMES] == [[2], [1, 2]]
    assert not (copy.models_dir / "failed-series.csv").exists()
    assert main([*copy.arguments, "--failures", str(copy.models_dir / "x.csv")]) == 0
    assert versions(copy.models_dir, NAMES[0]) == [2]


def test_a_damaged_version_is_not_taken_for_published(copy: Run) -> None:
    (copy.models_dir / NAMES[1] / "1" / LITERT_FILE).write_bytes(b"damaged")

    assert main(copy.arguments) == 4

    assert [versions(copy.models_dir, name) for name in NAMES] == [[1], [1, 2]]


def test_another_signature_than_the_live_version_s_is_the_failure_of_its_series(
    copy: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copy.models_dir / NAMES[1])

    assert main([*copy.arguments, "--steps", "2"]) == 4

    assert "shop-a-linear/1, which is live, takes a window of 8, 1 step" in capsys.readouterr().err
    assert verify(copy.models_dir, NAMES[1], 2).card.steps == 2
    assert versions(copy.models_dir, NAMES[0]) == [1]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--each"], "--each needs --data"),
        (["--jobs", "2"], "--jobs: only with --each"),
        (["--data", "x.csv", "--each", "--backend", "dask"], "needs the --address"),
        (["--data", "x.csv", "--each", "--address", "tcp://h:1"], "only with --backend dask or ray"),
        (["--data", "x.csv", "--each", "--backend", "ray", "--jobs", "2"], "those of the cluster"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(flags) == 2

    assert said in capsys.readouterr().err


def test_two_ids_of_one_name_and_a_table_without_ids_are_refused_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    equal = write(tmp_path / "equal.csv", {"A b": good(1), "a-B": good(2)})
    (tmp_path / "one.csv").write_text("\n".join(["units", *map(str, good(1))]))

    assert main(each(equal, tmp_path / "m")) == 2
    assert "'A b' and 'a-B' would both be published as a-b" in capsys.readouterr().err
    assert main(["--data", str(tmp_path / "one.csv"), "--each", "--models-dir", str(tmp_path / "m")]) == 2
    assert "name the column of their ids with --id" in capsys.readouterr().err


def test_every_training_command_of_the_document_has_flags_that_go_together() -> None:
    text = (CHECKOUT / "docs" / "many.md").read_text()
    commands = re.findall(r"python -m training (--.*)", text)

    configs = [parse(TrainConfig, shlex.split(command)) for command in commands]

    assert [config.backend for config in configs] == ["loky", "dask", "ray"]
    assert all(config.each for config in configs)
