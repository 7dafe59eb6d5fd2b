"""Paths of the deployment files, and a runner for the commands that check them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.repository import CHECKOUT

BIN = Path(sys.executable).parent
DEPLOY = CHECKOUT / "deploy"


def run(*command: str | Path, cwd: Path = CHECKOUT, **environment: str) -> str:
    """Run a command with only the given LAGCAST_ variables; return its output. A failure fails the test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAGCAST_")}
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=inherited | environment, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())
