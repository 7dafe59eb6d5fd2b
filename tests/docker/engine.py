"""Commands on a real Docker Engine, the recipes of docs/deploy.md, and stand-ins for images that cannot be pulled."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.repository import CHECKOUT

URL = "http://127.0.0.1:8000"
SECONDS_AT_MOST = 1800  # the first build of the training image downloads TensorFlow
STAND_INS = CHECKOUT / "tests" / "docker" / "stand_ins"


def attempt(*command: str, cwd: Path = CHECKOUT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with only the given LAGCAST_ variables; return the completed process."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAGCAST_")}
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_AT_MOST,
        env=inherited | {"COMPOSE_PROJECT_NAME": "lagcast-test"} | environment,
    )


def run(*command: str, cwd: Path = CHECKOUT, **environment: str) -> str:
    """Run a command and return its output; fail the test if the command fails."""
    done = attempt(*command, cwd=cwd, **environment)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def compose(*arguments: str, cwd: Path = CHECKOUT, **environment: str) -> str:
    return run("docker", "compose", *arguments, cwd=cwd, **environment)


def inspect(container: str, template: str) -> str:
    return run("docker", "inspect", "--format", template, container)


def wait_for(what: Callable[[], Any], seconds: float = 120) -> None:
    """Wait until a condition holds; it does not hold while a service does not answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if what():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError(run("docker", "ps", "-a"))


def recipe(title: str) -> str:
    """The commands under a heading of docs/deploy.md."""
    text = (CHECKOUT / "docs" / "deploy.md").read_text()
    section = re.split(r"^#+ (.*)\n", text, flags=re.MULTILINE)
    found = re.search(r"```sh\n(.*?)```", section[section.index(title) + 1], re.DOTALL)
    assert found is not None, f"docs/deploy.md has no commands under {title}"
    return found[1]


def cook(commands: str, folder: Path, **environment: str) -> str:
    """Run the commands of a recipe in a folder as a user would paste them; each has to succeed."""
    return run("bash", "-euo", "pipefail", "-c", commands, cwd=folder, **environment)


def checkout_copy(folder: Path) -> Path:
    """A copy of the tracked files, so that untracked files are not used and nothing is left in the checkout."""
    for name in run("git", "ls-files", "-z").split("\0"):
        if name and (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    return folder


def provide(image: str, name: str) -> None:
    """Provide an image: the local one, else from Docker Hub, else built from Debian packages under the same name."""
    if attempt("docker", "image", "inspect", image).returncode and attempt("docker", "pull", image).returncode:
        run("docker", "build", "--tag", image, "--file", str(STAND_INS / f"{name}.Dockerfile"), str(STAND_INS))
