"""The images, built once, and folders to run recipes in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.engine import attempt, checkout_copy, run


@pytest.fixture(scope="session")
def images() -> None:
    """The images of the service and of training, built from the checkout."""
    run("docker", "compose", "build", "service", "train")


@pytest.fixture
def kitchen(images: None, tmp_path: Path) -> Iterator[Path]:
    """A copy of the checkout to run a recipe in. Containers that are started there are stopped and removed."""
    folder = checkout_copy(tmp_path)
    try:
        yield folder
    finally:
        files = ["-f", "compose.yaml", "-f", "deploy/compose/proxy.yaml"]
        down = ["--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "10"]
        attempt("docker", "compose", *files, *down, cwd=folder)
