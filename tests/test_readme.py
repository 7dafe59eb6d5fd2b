"""Every command of the README and docs/ prints the output shown there, run unchanged in a copy of the checkout."""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from artifact import versions
from artifact.version import VERSION
from service.settings import Settings
from tests.repository import CHECKOUT, copy_of_shipped
from tests.server import free_port

README = (CHECKOUT / "README.md").read_text()
PROTOCOLS, TRAINING, SETTINGS = (
    (CHECKOUT / "docs" / f"{name}.md").read_text() for name in ("protocols", "training", "settings")
)
TEXT = README + TRAINING + PROTOCOLS
CI = (CHECKOUT / ".ci" / "run").read_text()


# curl may not be installed: these are the options that the README uses.
CURL = argparse.ArgumentParser()
CURL.add_argument("url")
CURL.add_argument("-H", "--header", action="append", default=[])
CURL.add_argument("-d", "--data")


class Example(NamedTuple):
    """A command and the output shown after it, if any."""

    command: str
    output: str


def examples(text: str = TEXT) -> list[Example]:
    found = re.findall(r"```sh\n(.*?)```(?:\n+(?:(?:(?!```)[^#])*?\n)?```(?:json|text)\n(.*?)```)?", text, re.DOTALL)
    whole = [(line, output) for lines, output in found for line in lines.replace("\\\n", "").splitlines()]
    return [Example(line.partition("  #")[0].strip(), output) for line, output in whole]


AIRLINE = ".venv/bin/python -m tests.airline models"
CURLS = [example for example in examples() if example.command.startswith("curl")]
SCORES = [example for example in examples() if " score " in example.command]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in a new folder, with the shipped models and the existing `.venv`."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        if name.startswith("models/"):  # may contain versions of the user
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, folder / name)
    copy_of_shipped(folder / "models")
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    return folder


@pytest.fixture(scope="module")
def served(checkout: Path) -> Iterator[str]:
    """A service started by `make serve` on a free port, with the model that docs/protocols.md publishes."""
    port = free_port()
    subprocess.run(AIRLINE.split(), cwd=checkout, check=True, capture_output=True)
    with subprocess.Popen(["make", "serve", f"PORT={port}"], cwd=checkout, start_new_session=True) as make:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, make)
            yield url
        finally:
            os.killpg(make.pid, signal.SIGTERM)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None
        try:
            httpx.get(f"{url}/health/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


def test_the_readme_has_the_two_commands_and_the_second_is_what_ci_runs() -> None:
    assert [example.command for example in examples()][:2] == ["make serve", "make test"]
    assert re.search(r"^make test$", CI, re.MULTILINE)


def test_every_command_is_one_that_is_tested_here() -> None:
    known = {"make serve", "make test", "make train", AIRLINE} | {example.command for example in CURLS}

    assert {e.command for e in examples() if "training" not in e.command} == known
    assert len(CURLS) >= 5


@pytest.mark.parametrize("example", CURLS, ids=[example.command.split()[1] for example in CURLS])
def test_a_curl_answers_what_is_shown(served: str, example: Example) -> None:
    arguments = CURL.parse_args(shlex.split(example.command)[1:])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}  # the default of curl
    headers |= dict(header.split(": ") for header in arguments.header)

    answer = httpx.post(arguments.url.replace("http://127.0.0.1:8000", served), content=arguments.data, headers=headers)

    assert without_ids(answer.json()) == approximately(without_ids(json.loads(example.output)))


@pytest.mark.parametrize("example", SCORES)
def test_scoring_prints_what_is_shown(checkout: Path, served: str, example: Example) -> None:
    run = subprocess.run(
        [*shlex.split(example.command), "--url", served], cwd=checkout, check=True, capture_output=True, text=True
    )

    assert run.stdout.split() == example.output.split()


def without_ids(answer: Any) -> Any:
    """The answer without its random ids and time."""
    if isinstance(answer, dict):
        return {key: without_ids(value) for key, value in answer.items() if key not in {"id", "created_at"}}
    return [without_ids(value) for value in answer] if isinstance(answer, list) else answer


def approximately(shown: Any) -> Any:
    """Compare numbers approximately: the last digits of predictions differ between processors."""
    if isinstance(shown, dict):
        return {key: approximately(value) for key, value in shown.items()}
    if isinstance(shown, list):
        return [approximately(value) for value in shown]
    return pytest.approx(shown, rel=1e-3) if isinstance(shown, float) else shown


def test_training_publishes_and_prints_tables_like_those_shown(checkout: Path) -> None:
    for example in examples():
        if "train" in example.command and example not in SCORES:
            run = subprocess.run(
                ["sh", "-c", example.command], cwd=checkout, check=True, capture_output=True, text=True
            )
            tables = run.stdout[run.stdout.index("lstm/") :]
            assert shape_of(tables) == shape_of(example.output)

    assert versions(checkout / "models", "lstm") == versions(checkout / "models", "mlp") == [1, 2]
    assert versions(checkout / "own", "lstm") == [1]


def shape_of(tables: str) -> list[str]:
    """The words of the output, without numbers and versions, which differ between runs and machines."""
    return re.findall(r"[a-z_]{2,}", tables.partition("\n\nlstm")[0])


def test_git_ignores_what_the_commands_make_and_nothing_that_ships() -> None:
    made = ["own/lstm/1/card.json", "report/index.html", "models/.numbers/lstm", "models/lstm/2/card.json"]
    made += ["models/mlp/pin", "models/sales-lstm/1/card.json"]
    shipped = [f"models/{name}/1/{file}" for name in ("lstm", "mlp") for file in ("card.json", "model.keras")]

    command = ["git", "check-ignore", "--no-index", *made, *shipped]
    ignored = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout

    assert ignored.splitlines() == made


def test_make_alone_lists_every_command_with_its_help() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)

    listed = subprocess.run(["make"], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout

    assert dict(re.findall(r"^make (\S+) +(\S.*)$", listed, re.MULTILINE)).keys() == set(phony.split())


@pytest.mark.parametrize("target", ["train", "serve", "report"])
def test_arguments_are_passed_on(checkout: Path, target: str) -> None:
    said = subprocess.run(
        ["make", target, "ARGS=--version"], cwd=checkout, check=True, capture_output=True, text=True
    ).stdout

    assert f"lagcast {VERSION}" in said.splitlines()  # among the lines of make itself, if another make has begun it


def test_every_setting_is_in_the_table() -> None:
    assert set(re.findall(r"LAGCAST_[A-Z_]+", SETTINGS)) == {
        f"LAGCAST_{name.upper()}" for name in Settings.model_fields
    }


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150
    assert max(map(len, README.splitlines())) <= 120
