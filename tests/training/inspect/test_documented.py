"""Every command of docs/tables.md prints the output shown there."""

import re
import subprocess

import pytest

from tests.repository import CHECKOUT

TEXT = (CHECKOUT / "docs/tables.md").read_text()
SHOWN = re.findall(r"```sh\n(.*?)\n```\n```text\n(.*?)\n```", TEXT, re.DOTALL)


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command.split("/")[-1] for command, _ in SHOWN])
def test_a_command_prints_what_is_shown(command: str, output: str) -> None:
    run = subprocess.run(["sh", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert (run.stdout + run.stderr).rstrip("\n") == output


def test_every_command_is_tried() -> None:
    assert len(SHOWN) == TEXT.count("```sh") == 3
