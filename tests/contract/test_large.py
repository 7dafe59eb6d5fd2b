"""Large requests, parsed in a separate process: same answers as small ones, also if that process dies."""

import gzip
import json
from collections.abc import Iterator

import httpx
import numpy as np
import psutil
import pytest

from tests.server import Server, running
from tests.waiting import PATIENCE

ROWS = np.random.default_rng(0).uniform(0, 1000, (9000, 5)).round(3).tolist()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("large") / "log", "--max-batch-rows", "10000") as server:
        yield server


def work_processes(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "service.protocols.work_process" in child.cmdline()]


def ask(server: Server, path: str, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(server.url + path, content=content, headers={"Content-Type": "application/json"} | headers)


def in_parts(server: Server) -> list[float]:
    parts = [ROWS[i : i + 300] for i in range(0, len(ROWS), 300)]
    answers = [ask(server, "/predict/lstm/batch", {"windows": part}).json()["predictions"] for part in parts]
    return [value for answer in answers for value in answer]


def test_a_large_batch_has_the_predictions_of_its_parts_in_every_protocol(server: Server) -> None:
    tensor = {"name": "window", "shape": [len(ROWS), 5], "datatype": "FP32", "data": ROWS}

    native = ask(server, "/predict/lstm/batch", {"windows": ROWS}).json()["predictions"]
    v1 = ask(server, "/v1/models/lstm:predict", {"instances": ROWS}).json()["predictions"]
    v2 = ask(server, "/v2/models/lstm/infer", {"inputs": [tensor]}).json()["outputs"][0]["data"]
    squeezed = gzip.compress(json.dumps({"inputs": [tensor]}).encode())
    compressed = ask(server, "/v2/models/lstm/infer", squeezed, **{"Content-Encoding": "gzip"}).json()

    assert work_processes(server)
    expected = in_parts(server)
    assert native == [row[0] for row in v1] == v2 == compressed["outputs"][0]["data"] == expected


def test_what_is_wrong_with_a_large_request_is_told_as_of_a_small_one(server: Server) -> None:
    wrong = [*ROWS, [1, 2, 3, 4, "x"]]
    overflowing = [*ROWS, [3e38] * 5]

    told = ask(server, "/predict/lstm/batch", {"windows": wrong})
    overflow = ask(server, "/predict/lstm/batch", {"windows": overflowing})
    v2 = ask(server, "/v2/models/lstm/infer", {"x": " " * 100_000})
    unknown = ask(server, "/v1/timeseries/forecast", {"model": "none", "inputs": [
        {"name": "a", "series": [1.5] * 30_000, "frequency": "day"}], "options": {"horizon": 1}})  # fmt: skip

    assert told.json()["detail"][0]["loc"] == ["body", "windows", len(ROWS), 4]
    assert overflow.json()["detail"][0]["loc"] == ["body", "windows", len(ROWS)]
    assert (v2.status_code, unknown.status_code) == (400, 404)
    assert unknown.json()["error"]["type"] == "NotFoundError"


def test_predictions_of_large_requests_are_counted(server: Server) -> None:
    def rows() -> float:
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("lagcast_rows_total"))

    before = rows()
    ask(server, "/predict/lstm/batch", {"windows": ROWS})

    assert rows() == before + len(ROWS)


def test_a_killed_work_process_costs_no_request(server: Server) -> None:
    ask(server, "/predict/lstm/batch", {"windows": ROWS})
    for process in work_processes(server):
        process.kill()

    assert ask(server, "/predict/lstm/batch", {"windows": ROWS}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{" + b",".join(b'"%x":0' % i for i in range(1_000_000)) + b"}", "extra_forbidden"),
        (b'{"windows":[' + b"[]," * 5_000_000 + b"[]]}", "too_long"),
        (b'{"windows":[' + b"1," * 8_000_000 + b"1]}", "too_long"),
    ],
    ids=["unknown keys", "lists", "numbers"],
)
def test_a_body_that_no_valid_one_comes_near_to_is_refused_by_its_punctuation(
    server: Server, body: bytes, kind: str
) -> None:
    answer = ask(server, "/predict/lstm/batch", body)

    assert answer.status_code == 422
    assert [problem["type"] for problem in answer.json()["detail"]] == [kind]


def test_the_work_process_ends_with_the_service_that_is_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("killed") / "log") as server:
        ask(server, "/predict/lstm/batch", {"windows": ROWS})
        (process,) = work_processes(server)
        server.process.kill()

        process.wait(timeout=PATIENCE)
