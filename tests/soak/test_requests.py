"""Hundreds of thousands of requests, and generated requests that the OpenAPI document allows or forbids."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from service.protocols.error_schemas import DESCRIPTIONS
from service.settings import Settings
from tests.repository import SHIPPED
from tests.server import Server
from tests.service.connection.pair import Pair
from tests.service.connection.streams import streams

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(Settings(models_dir=SHIPPED, max_batch_rows=3, max_body_bytes=50_000)) as pair:
        yield pair


@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(parts=streams())
def test_no_request_gets_a_5xx_or_an_answer_outside_the_contract(pair: Pair, parts: list[bytes]) -> None:
    with_lane, without = pair.ask(*parts)

    assert with_lane == without
    statuses = {int(status) for status in re.findall(rb"^HTTP/1.1 (\d{3}) ", with_lane.answers, re.MULTILINE)}
    assert statuses <= {100, 200, *DESCRIPTIONS}
    assert max(statuses) < 500


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
