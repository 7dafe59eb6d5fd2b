"""All inference protocols: same predictions, limits and graceful shutdown as the native routes."""

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import Batch
from tests.contract.test_limits import exchange
from tests.server import Server, Serving, running

INFER, PREDICT = "/v2/models/mlp/infer", "/v1/models/mlp:predict"
MANY = [5.0] * 100_000
LARGE: dict[str, dict[str, Any]] = {
    INFER: {"inputs": [{"name": "value", "shape": [len(MANY)], "datatype": "FP32", "data": MANY}]},
    PREDICT: {"instances": MANY},
}


def own(url: str, name: str, rows: Batch) -> Any:
    key, values = ("windows", rows) if name == "lstm" else ("values", rows[:, 0])
    return httpx.post(f"{url}/predict/{name}/batch", json={key: values.tolist()}).json()["predictions"]


def instances(url: str, name: str, rows: Batch) -> Any:
    answer = httpx.post(f"{url}/v1/models/{name}:predict", json={"instances": rows.tolist()})
    return [row[0] for row in answer.json()["predictions"]]


def inputs(url: str, name: str, rows: Batch) -> Any:
    answer = httpx.post(f"{url}/v1/models/{name}:predict", json={"inputs": rows.tolist()})
    return [row[0] for row in answer.json()["outputs"]]


def header(name: str, rows: Batch, **changes: Any) -> dict[str, Any]:
    source = "window" if name == "lstm" else "value"
    return {"inputs": [{"name": source, "shape": list(rows.shape), "datatype": "FP32"} | changes]}


def infer(url: str, name: str, rows: Batch) -> Any:
    answer = httpx.post(f"{url}/v2/models/{name}/infer", json=header(name, rows, data=rows.tolist()))
    return answer.json()["outputs"][0]["data"]


def infer_binary(url: str, name: str, rows: Batch) -> Any:
    document = header(name, rows, parameters={"binary_data_size": rows.nbytes})
    document["parameters"] = {"binary_data_output": True}
    content = json.dumps(document).encode()
    headers = {"Inference-Header-Content-Length": str(len(content))}
    answer = httpx.post(f"{url}/v2/models/{name}/infer", content=content + rows.tobytes(), headers=headers)
    return np.frombuffer(answer.content[int(answer.headers["inference-header-content-length"]) :], "<f4")


WAYS: list[Callable[[str, str, Batch], Any]] = [own, instances, inputs, infer, infer_binary]
NUMBERS = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(["lstm", "mlp"]), data=st.data())
def test_every_way_in_gives_the_same_predictions_to_the_bit(server: Server, name: str, data: st.DataObject) -> None:
    width = 5 if name == "lstm" else 1
    numbers = data.draw(st.lists(NUMBERS, min_size=width, max_size=8 * width))
    rows = np.array(numbers[: len(numbers) // width * width], np.float32).reshape(-1, width)

    answers = [np.array(way(server.url, name, rows), np.float32).tobytes() for way in WAYS]

    assert len(set(answers)) == 1


def test_a_batch_of_several_chunks_gives_the_same_predictions_to_the_bit(server: Server) -> None:
    rows = np.random.default_rng(0).uniform(0, 103, (10_000, 5)).astype(np.float32)

    answers = [np.array(way(server.url, "lstm", rows), np.float32).tobytes() for way in WAYS]

    assert len(set(answers)) == 1


@pytest.mark.parametrize("path", ["/v1/models", "/v2", INFER])
def test_without_a_key_a_protocol_answers_401_with_error_and_its_health_answers(
    serving: Serving, keys_file: Path, path: str
) -> None:
    with httpx.Client(base_url=serving("--api-keys-file", keys_file).url) as client:
        refused = client.get(path)
        health = [client.get(f"/v2/health/{kind}").status_code for kind in ("live", "ready")]
        answered = client.get("/v1/models", headers={"Authorization": "Bearer secret"})

    assert refused.status_code == 401
    assert refused.json() == {"error": "An API key is needed: send it as 'Authorization: Bearer KEY'"}
    assert health == [200, 200]
    assert answered.status_code == 200


@pytest.mark.parametrize("path", LARGE)
def test_a_body_beyond_the_limit_is_a_413_with_error(client: httpx.Client, path: str) -> None:
    answer = client.post(path, content=b" " * (16 * 2**20 + 1))

    assert (answer.status_code, answer.json()) == (413, {"error": "The body is larger than 16777216 bytes"})


@pytest.mark.parametrize("path", LARGE)
def test_a_process_that_is_full_answers_429_with_error_and_retry_after(serving: Serving, path: str) -> None:
    server = serving("--max-concurrency", "1")

    def ask(_: int) -> httpx.Response:
        return httpx.post(f"{server.url}{path}", json=LARGE[path])

    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(ask, range(40)))

    assert {answer.status_code for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {"error": "1 requests are at work; try again"}


@pytest.mark.parametrize("path", LARGE)
def test_work_beyond_the_deadline_is_a_504_with_error(serving: Serving, path: str) -> None:
    answer = httpx.post(f"{serving('--deadline-seconds', '0.001').url}{path}", json=LARGE[path])

    assert (answer.status_code, answer.json()) == (504, {"error": "The work took longer than 0.001 seconds"})


@pytest.mark.parametrize("path", LARGE)
def test_a_body_that_stops_arriving_is_a_408_with_error(serving: Serving, path: str) -> None:
    server = serving("--body-seconds", "0.1")

    answer = exchange(server, b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{" % path.encode())

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'{"error":"No more of the request arrived within 0.1 seconds"}')


def test_a_process_that_is_told_to_stop_is_live_and_no_longer_ready(tmp_path: Path) -> None:
    with running(tmp_path / "log", LAGCAST_DRAIN_SECONDS="5") as server, httpx.Client(base_url=server.url) as client:
        server.process.send_signal(signal.SIGTERM)
        while (ready := client.get("/v2/health/ready")).status_code == 200:
            time.sleep(0.01)
        model = client.get("/v2/models/lstm/versions/1/ready")
        live, answer = client.get("/v2/health/live"), client.post(PREDICT, json={"instances": [5]})
        server.process.send_signal(signal.SIGTERM)

    assert (ready.status_code, ready.json()) == (503, {"error": "the process is about to stop"})
    assert ready.headers["retry-after"] == "1"
    assert model.status_code == 503
    assert (live.status_code, answer.status_code) == (200, 200)


@pytest.mark.parametrize(("name", "limit"), [("lstm", "windows"), ("mlp", "values")])
def test_the_limit_on_rows_is_the_one_of_the_settings(serving: Serving, name: str, limit: str) -> None:
    rows = np.ones((4, 5 if name == "lstm" else 1), np.float32)
    server = serving("--max-batch-rows", "3")

    answers = [
        httpx.post(f"{server.url}/v2/models/{name}/infer", json=header(name, rows, data=rows.tolist())),
        httpx.post(f"{server.url}/v1/models/{name}:predict", json={"instances": rows.tolist()}),
    ]
    own = httpx.post(f"{server.url}/predict/{name}/batch", json={limit: rows.tolist()})

    assert [answer.status_code for answer in answers] == [400, 400]
    assert {answer.json()["error"][-24:] for answer in answers} == {"takes 1 to 3 rows, not 4"}
    assert own.status_code == 422
