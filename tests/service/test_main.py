"""`python -m service`: arguments, start, signals and exit codes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from artifact import KERAS_FILE, LITERT_FILE
from service.__main__ import main
from service.settings import Settings
from tests.repository import CHECKOUT, SHIPPED, change_card, copy_of_shipped, replace_file
from tests.server import Server, running
from tests.waiting import PATIENCE, wait_for


def serve(*arguments: str | int | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def started(capsys: pytest.CaptureFixture[str], *arguments: str | int | Path) -> tuple[int | str | None, str]:
    """Exit code and stderr of a start that fails, without a process of its own."""
    try:
        code: int | str | None = main([*map(str, arguments)])
    except SystemExit as end:  # raised for a wrong option by the parser
        code = end.code
    return code, capsys.readouterr().err


def test_help_shows_every_option_with_its_environment_variable() -> None:
    shown = " ".join(serve("--help").stdout.split())

    for field in Settings.model_fields:
        assert f"--{field.replace('_', '-')}" in shown
        assert f"[env: LAGCAST_{field.upper()}]" in shown


WRONG = {
    "--port 70000": "port: Input should be less than or equal to 65535",
    "--port http": "port: Input should be a valid integer",
    "--engine onnx": "engine: Input should be 'litert' or 'keras'",
    "--workers 0": "workers: Input should be greater than or equal to 1",
    "--api-keys-file none --port 0": "No such file or directory",  # 8000 may be taken
    "--reload": "unrecognized arguments: --reload",
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.items())
def test_a_wrong_argument_exits_2_and_is_named_in_the_last_line(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = started(capsys, *arguments.split())

    assert code == 2
    assert message in said.splitlines()[-1]


def test_the_environment_sets_what_the_command_line_does_not(tmp_path: Path) -> None:
    with running(tmp_path / "log", LAGCAST_MAX_BATCH_ROWS="2", LAGCAST_PORT="1") as server:
        answer = httpx.post(f"{server.url}/predict/mlp/batch", json={"values": [1, 2, 3]})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "too_long"


def wrong_golden(folder: Path) -> None:
    change_card(folder, golden=[{"window": [1, 2, 3, 4, 5], "prediction": 9}])


def wrong_shape(folder: Path) -> None:
    replace_file(folder, LITERT_FILE, (SHIPPED / "mlp" / "1" / LITERT_FILE).read_bytes())


STOPPERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing card": (lambda folder: (folder / "card.json").unlink(), "lstm/1/card.json: No such file or directory"),
    "missing file": (lambda folder: (folder / LITERT_FILE).unlink(), "lstm/1/model.tflite: No such file or directory"),
    "wrong size": (lambda folder: os.truncate(folder / KERAS_FILE, 9), "lstm/1/model.keras: has 9 bytes"),
    "wrong checksum": (
        lambda folder: (folder / LITERT_FILE).write_bytes(bytes((folder / LITERT_FILE).stat().st_size)),
        "lstm/1/model.tflite: its sha256 is not the one on its card",
    ),
    "wrong schema": (lambda folder: change_card(folder, schema_version=0), "lstm/1/card.json: schema_version"),
    "golden samples not met": (wrong_golden, "lstm: the network does not repeat the golden samples"),
    "a network of another shape": (
        wrong_shape,
        "lstm/1/model.tflite: has the shape [None, 1] where its card says [None, 5, 1]",
    ),
    "not a network": (lambda folder: replace_file(folder, LITERT_FILE, b"x"), "lstm/1/model.tflite: cannot be run"),
}


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", STOPPERS)
def test_a_repository_without_a_good_version_stops_the_start_with_one_line(
    kind: str, workers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, message = STOPPERS[kind]
    damage(copy_of_shipped(tmp_path) / "lstm" / "1")
    shutil.rmtree(tmp_path / "mlp")

    code, said = started(capsys, "--port", 0, "--models-dir", tmp_path, "--workers", workers)

    assert code == 1
    (line,) = said.splitlines()
    assert line.startswith(f"lagcast: cannot serve from {tmp_path}: {message}")


def test_a_repository_that_is_absent_or_empty_stops_the_start_and_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    start = f"start in the folder of the checkout, not in {CHECKOUT}, or name another repository with --models-dir"
    for name, reason in (("none", f"No such file or directory; {start}"), ("empty", "no model is published")):
        ended = serve("--port", 0, "--models-dir", tmp_path / name)

        assert ended.returncode == 1
        assert ended.stderr == f"lagcast: cannot serve from {tmp_path}/{name}: {reason}\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_stops_the_start(server: Server, workers: str) -> None:
    ended = serve("--port", server.url.rpartition(":")[2], "--workers", workers)

    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.endswith("is taken: address already in use; try make serve PORT=8080, or --port 8080")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_host_that_does_not_resolve_is_named(workers: str) -> None:
    ended = serve("--host", "nowhere.invalid", "--workers", workers)

    assert ended.returncode == 3
    assert ended.stderr.startswith("lagcast: the host 'nowhere.invalid' does not resolve")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LAGCAST_API_KEY_FILE", "keys", "there is no such setting; the nearest is LAGCAST_API_KEYS_FILE"),
        ("LAGCAST_CORS_ORIGINS", "[http", "is neither a JSON list nor items separated by commas"),
        ("LAGCAST_MEMORY_BYTES", "1000", "LAGCAST_MEMORY_BYTES is 1000, but one body of LAGCAST_MAX_BODY_BYTES takes"),
    ],
)
def test_a_wrong_variable_exits_2_with_one_line(name: str, value: str, message: str) -> None:
    ended = serve("--port", 0, **{name: value})

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert message in line


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_of_the_log_is_json_with_a_pid_one_says_where_the_service_is_and_sigterm_ends_it_with_0(
    workers: str, tmp_path: Path
) -> None:
    with running(tmp_path / "log", "--workers", workers) as server:
        httpx.post(f"{server.url}/predict/mlp/batch", json={"values": [5.0] * 30_000}).raise_for_status()
        wait_for(lambda: "stop with Ctrl-C" in server.log.read_text())
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE) == 0

    events = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert all(event["pid"] > 0 for event in events)
    (where,) = [event["message"] for event in events if event["message"].startswith("serving:")]
    assert f"{server.url}/docs" in where


def test_serving_takes_less_than_100_megabytes(tmp_path: Path) -> None:
    with running(tmp_path / "log") as server:
        for _ in range(100):
            httpx.post(f"{server.url}/predict/lstm", json={"window": [1, 2, 3, 4, 5]})
        status = Path(f"/proc/{server.process.pid}/status").read_text()

    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 100 * 1024


def test_both_engines_give_the_same_answers(tmp_path: Path) -> None:
    requests = [
        ("/predict/lstm", {"window": [1, 2, 3, 4, 5]}),
        ("/predict/lstm", {"window": [90.5, 3, 400, -7, 0]}),
        ("/predict/mlp", {"value": 1e6}),
        ("/predict/lstm/batch", {"windows": [[i, i + 1, i + 2, i + 3, i + 4] for i in range(99)]}),
        ("/predict/mlp/batch", {"values": list(range(-50, 5000))}),
        ("/predict/mlp", {"value": 3.4e38}),
        ("/predict/lstm", {"window": [1, 2, 3, 4]}),
    ]

    def answers(engine: str) -> list[httpx.Response]:
        with running(tmp_path / engine, "--engine", engine) as server:
            return [httpx.post(server.url + path, json=body) for path, body in requests]

    for litert, keras in zip(answers("litert"), answers("keras"), strict=True):
        assert litert.status_code == keras.status_code
        for key, value in litert.json().items():
            exact = key not in {"prediction", "predictions"}
            assert keras.json()[key] == (value if exact else pytest.approx(value, rel=1e-4, abs=1e-3))
