"""`make test-docker`: the base image pinned by digest, and the bill of materials of the images."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docker.engine import checkout_copy, run, wait_for
from tests.repository import CHECKOUT
from tests.server import free_port

pytestmark = pytest.mark.docker


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of a real registry on this machine, with the base image in it."""
    address = f"localhost:{free_port()}"
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": address.replace("localhost", "127.0.0.1")},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(config))
    command = ["docker-registry", "serve", str(tmp_path / "registry.yml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: httpx.get(f"http://{address}/v2/").is_success)
        run("docker", "tag", "python:3.13-slim", f"{address}/python:3.13-slim")
        run("docker", "push", f"{address}/python:3.13-slim")
        yield address
        run("docker", "rmi", f"{address}/python:3.13-slim")
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed (Debian)")
def test_the_base_image_is_pinned_by_the_digest_of_its_tag_and_the_images_are_built_from_it(
    registry: str, tmp_path: Path
) -> None:
    checkout = checkout_copy(tmp_path / "checkout")

    run("make", "base-image", f"BASE={registry}/python:3.13-slim", cwd=checkout)

    pinned = re.search(r"^ARG PYTHON_IMAGE=(.*)$", (checkout / "Dockerfile").read_text(), re.MULTILINE)
    assert pinned is not None
    assert re.fullmatch(rf"{registry}/python:3\.13-slim@sha256:[0-9a-f]{{64}}", pinned[1])
    run("docker", "build", "--target", "base", "--tag", "lagcast-pinned", str(checkout))
    run("docker", "rmi", "lagcast-pinned")


def test_the_bill_of_materials_has_every_locked_package_and_licences(images: None, tmp_path: Path) -> None:
    checkout, venv = checkout_copy(tmp_path / "checkout"), CHECKOUT / ".venv"
    locked = set(re.findall(r"^([\w.-]+)==(\S+)", (CHECKOUT / "requirements" / "serve.txt").read_text(), re.MULTILINE))

    run("make", "-o", f"{venv}/serve.installed", f"VENV={venv}", f"PYTHON={sys.executable}", "sbom", cwd=checkout)

    bill = json.loads((checkout / "sbom" / "lagcast-service.cdx.json").read_text())
    held = {(component["name"].lower(), component.get("version")) for component in bill["components"]}
    licences = dict(
        line.split(": ", 1) for line in (checkout / "sbom" / "lagcast-service.licenses.txt").read_text().splitlines()
    )
    assert bill["bomFormat"] == "CycloneDX"
    missing = {(name, version) for name, version in locked if (_normal(name), version) not in _all_normal(held)}
    assert missing <= _not_for_this_python(missing)
    assert any(name == "libc6" for name, _ in held)
    assert "MIT" in next(text for package, text in licences.items() if package.startswith("fastapi "))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _all_normal(held: set[tuple[str, str | None]]) -> set[tuple[str, str | None]]:
    return {(_normal(name), version) for name, version in held}


def _not_for_this_python(packages: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Packages with an environment marker in the lock file, which an image may not contain."""
    text = (CHECKOUT / "requirements" / "serve.txt").read_text()
    return {(name, version) for name, version in packages if f"{name}=={version} ;" in text}
