"""Hundreds of thousands of requests, and generated requests that the OpenAPI document allows or forbids."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from service.protocols.error_schemas import DESCRIPTIONS
from tests.server import Server
from tests.service.middleware.test_fast_path import Apps, requests

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def apps() -> Iterator[Apps]:
    with Apps() as apps:
        yield apps


@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(request=requests())
def test_no_request_gets_a_5xx_or_an_answer_outside_the_contract(apps: Apps, request: dict[str, Any]) -> None:
    start, *body = apps.ask(apps.fast_path, request)

    assert start["status"] == 200 or start["status"] in DESCRIPTIONS
    assert start["status"] < 500
    content = b"".join(part["body"] for part in body)
    assert content.startswith(b"{") or request["method"] == "HEAD"


@pytest.mark.parametrize(
    ("paths", "checks"),
    [
        # A finite input whose prediction is not finite is refused; a schema cannot express that.
        (["--exclude-path-regex", "^/v1/"], "positive_data_acceptance"),
        # TensorFlow Serving answers 400, not 405, to a POST on a path with GET only, and vice versa.
        (["--include-path-regex", "^/v1/"], "positive_data_acceptance,unsupported_method"),
    ],
)
def test_schemathesis_finds_nothing(server: Server, tmp_path: Path, paths: list[str], checks: str) -> None:
    schemathesis = Path(sys.executable).parent / "schemathesis"
    options = ["--exclude-checks", checks, "--max-examples", "200", "--seed", "1"]
    run = subprocess.run(
        [schemathesis, "run", f"{server.url}/openapi.json", *paths, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-8000:]
