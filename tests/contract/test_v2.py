"""Open Inference Protocol v2 in JSON: the specification, tested with the shipped models."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from artifact import LITERT_FILE
from tests.repository import add_version, copy_of_shipped
from tests.server import running

LSTM, MLP = "/v2/models/lstm", "/v2/models/mlp"
PREDICTION = {"name": "prediction", "datatype": "FP32", "shape": [-1, 1]}
BODY = b'{"inputs":[{"name":"window","shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]}]}'


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "window", "shape": [1, 5, 1], "datatype": "FP32", "data": [1, 2, 3, 4, 5]} | changes


def infer(client: httpx.Client, model: str = LSTM, **body: Any) -> httpx.Response:
    return client.post(f"{model}/infer", json={"inputs": [tensor()]} | body)


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_tells_its_name_version_and_extensions(client: httpx.Client, path: str) -> None:
    version = client.get("/openapi.json").json()["info"]["version"]

    assert client.get(path).json() == {
        "name": "lagcast",
        "version": version,
        "extensions": ["binary_tensor_data", "model_repository"],
    }


def test_health_is_live_and_ready(client: httpx.Client) -> None:
    live, ready = client.get("/v2/health/live"), client.get("/v2/health/ready")

    assert (live.status_code, live.text) == (200, '{"live":true}')
    assert (ready.status_code, ready.text) == (200, '{"ready":true,"live":true}')


@pytest.mark.parametrize("version", ["", "/versions/1"])
@pytest.mark.parametrize(("name", "source", "shape"), [("lstm", "window", [-1, 5, 1]), ("mlp", "value", [-1, 1])])
def test_the_metadata_of_a_model_is_exact(
    client: httpx.Client, name: str, source: str, shape: list[int], version: str
) -> None:
    answer = client.get(f"/v2/models/{name}{version}")

    assert answer.json() == {
        "name": name,
        "versions": ["1"],
        "platform": "litert",
        "inputs": [{"name": source, "datatype": "FP32", "shape": shape}],
        "outputs": [PREDICTION],
    }


@pytest.mark.parametrize("path", [f"{LSTM}/ready", f"{LSTM}/versions/1/ready"])
def test_a_model_that_is_live_is_ready(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"name": "lstm", "ready": True})


def test_kept_versions_are_listed_asked_by_their_number_and_named_in_the_answer(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    add_version(models_dir, "lstm", 2)
    (add_version(models_dir, "lstm", 3) / LITERT_FILE).unlink()
    reason = "lstm/3/model.tflite: No such file or directory"

    with running(tmp_path / "log", models_dir=models_dir) as server, httpx.Client(base_url=server.url) as client:
        answers = [infer(client, path).json() for path in (LSTM, f"{LSTM}/versions/1", f"{LSTM}/versions/2")]
        versions = client.get(LSTM).json()["versions"]
        index = client.post("/v2/repository/index").json()
        ready = client.post("/v2/repository/index", json={"ready": True}).json()

    assert [answer["model_version"] for answer in answers] == ["2", "1", "2"]
    assert versions == ["1", "2"]
    assert index == [
        {"name": "lstm", "version": "3", "state": "UNAVAILABLE", "reason": reason},
        {"name": "lstm", "version": "2", "state": "READY", "reason": ""},
        {"name": "lstm", "version": "1", "state": "READY", "reason": ""},
        {"name": "mlp", "version": "1", "state": "READY", "reason": ""},
    ]
    assert ready == index[1:]


def test_an_answer_names_the_model_its_version_and_its_one_output(client: httpx.Client) -> None:
    answer = infer(client, id="42")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "model_name": "lstm",
        "model_version": "1",
        "id": "42",
        "parameters": {"extrapolated": False},
        "outputs": [
            {"name": "prediction", "shape": [1, 1], "datatype": "FP32", "data": [pytest.approx(7.8, abs=0.01)]}
        ],
    }


@pytest.mark.parametrize("body", [{}, {"id": None}])
def test_an_id_that_was_not_sent_is_not_answered(client: httpx.Client, body: dict[str, Any]) -> None:
    assert "id" not in infer(client, **body).json()


def test_a_value_outside_the_trained_range_is_told(client: httpx.Client) -> None:
    far = tensor(shape=[2, 5], data=[[1, 2, 3, 4, 5], [996, 997, 998, 999, 1000]])

    assert infer(client, inputs=[far]).json()["parameters"] == {"extrapolated": True}


SHAPES: dict[str, tuple[list[int], Any]] = {
    "flat with a last axis": ([2, 5, 1], [1, 2, 3, 4, 5, 2, 3, 4, 5, 6]),
    "flat without one": ([2, 5], [1, 2, 3, 4, 5, 2, 3, 4, 5, 6]),
    "nested with a last axis": ([2, 5, 1], [[[1], [2], [3], [4], [5]], [[2], [3], [4], [5], [6]]]),
    "nested without one": ([2, 5], [[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]]),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_windows_come_flat_or_nested_with_or_without_their_last_axis(client: httpx.Client, kind: str) -> None:
    shape, data = SHAPES[kind]

    (output,) = infer(client, inputs=[tensor(shape=shape, data=data)]).json()["outputs"]

    assert output["shape"] == [2, 1]
    assert output["data"] == pytest.approx([7.8, 9.6], abs=0.01)


@pytest.mark.parametrize(
    "datatype", ["FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
)
def test_other_numbers_are_converted_to_float32(client: httpx.Client, datatype: str) -> None:
    assert infer(client, inputs=[tensor(datatype=datatype)]).json()["outputs"] == infer(client).json()["outputs"]


@pytest.mark.parametrize("outputs", [None, [], [{"name": "prediction"}], [{"name": "prediction", "parameters": {}}]])
def test_the_one_output_comes_asked_for_or_not(client: httpx.Client, outputs: Any) -> None:
    assert infer(client, outputs=outputs).json() == infer(client).json()


def test_what_other_servers_take_besides_is_ignored(client: httpx.Client) -> None:
    extra: dict[str, Any] = {"model_name": "x", "parameters": {"sequence_id": 5, "timeout": 1}, "x": 1}

    assert infer(client, **extra, inputs=[tensor(parameters={"content_type": "np"})]).json() == infer(client).json()


FINITE = "'window' takes finite numbers only"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no inputs": ({"inputs": None}, "inputs: Input should be a valid array"),
    "an empty list of inputs": ({"inputs": []}, "lstm takes one input, 'window'"),
    "two inputs": ({"inputs": [tensor(), tensor()]}, "lstm takes one input, 'window'"),
    "another input": ({"inputs": [tensor(name="value")]}, "lstm takes one input, 'window'"),
    "no shape": ({"inputs": [tensor(shape=None)]}, "inputs.0.shape: Input should be a valid array"),
    "a shape in words": ({"inputs": [tensor(shape=["1", 5])]}, "inputs.0.shape.0: Input should be a valid integer"),
    "a negative shape": ({"inputs": [tensor(shape=[-1, 5])]}, "inputs.0.shape.0: Input should be greater than"),
    "a shape beyond int64": ({"inputs": [tensor(shape=[2**63, 5])]}, "inputs.0.shape.0: Input should be less than"),
    "another shape": ({"inputs": [tensor(shape=[1, 4])]}, "'window' takes the shape [-1, 5, 1] or [-1, 5], not [1, 4]"),
    "no rows": ({"inputs": [tensor(shape=[0, 5], data=[])]}, "'window' takes 1 to 100000 rows, not 0"),
    "too many rows": ({"inputs": [tensor(shape=[100_001, 5])]}, "'window' takes 1 to 100000 rows, not 100001"),
    "less data than its shape": ({"inputs": [tensor(shape=[2, 5])]}, "The data of 'window' has the shape [5], not"),
    "data of another shape": (
        {"inputs": [tensor(data=[[1, 2, 3, 4, 5]])]},
        "The data of 'window' has the shape [1, 5]",
    ),
    "ragged data": ({"inputs": [tensor(data=[[1], [2, 3]])]}, "Encountered list at unexpected size: 2 at level: 1"),
    "a string": ({"inputs": [tensor(data=[1, 2, 3, 4, "5"])]}, "JSON Value of Type: String is not of expected type"),
    "true": ({"inputs": [tensor(data=[1, 2, 3, 4, True])]}, "JSON Value of Type: Bool is not of expected type"),
    "null": ({"inputs": [tensor(data=[1, 2, 3, 4, None])]}, "JSON Value of Type: Null is not of expected type"),
    "BYTES": ({"inputs": [tensor(datatype="BYTES")]}, "The datatype of 'window' must be one of FP16, FP32, FP64, INT8"),
    "BOOL": ({"inputs": [tensor(datatype="BOOL")]}, "The datatype of 'window' must be one of FP16, FP32, FP64, INT8"),
    "no such datatype": ({"inputs": [tensor(datatype="float")]}, "The datatype of 'window' must be one of FP16"),
    "a fraction for an integer": (
        {"inputs": [tensor(datatype="INT32", data=[1, 2, 3, 4, 5.5])]},
        "JSON Value of Type: Number with a fraction is not of expected type: int32",
    ),
    "300 in UINT8": ({"inputs": [tensor(datatype="UINT8", data=[300] * 5)]}, "A number is beyond uint8"),
    "1e39": ({"inputs": [tensor(data=[1, 2, 3, 4, 1e39])]}, FINITE),
    "1e39 in FP64": ({"inputs": [tensor(datatype="FP64", data=[1, 2, 3, 4, 1e39])]}, FINITE),
    "70000 in FP16": ({"inputs": [tensor(datatype="FP16", data=[70_000] * 5)]}, FINITE),
    "an integer of 400 digits": ({"inputs": [tensor(data=[1, 2, 3, 4, 10**400])]}, "A number is beyond float32"),
    "no data": ({"inputs": [tensor(data=None)]}, "'window' needs its numbers either in data or after the JSON"),
    "an id that is no string": ({"id": 42}, "id: Input should be a valid string"),
    "another output": ({"outputs": [{"name": "x"}]}, "lstm gives one output, 'prediction'"),
    "an output twice": ({"outputs": [{"name": "prediction"}] * 2}, "lstm gives one output, 'prediction'"),
    "classification": (
        {"outputs": [{"name": "prediction", "parameters": {"classification": 3}}]},
        "An output comes as JSON or as binary data",
    ),
    "shared memory": (
        {"outputs": [{"name": "prediction", "parameters": {"shared_memory_region": "x"}}]},
        "An output comes as JSON or as binary data",
    ),
    "a prediction beyond float32": (
        {"inputs": [tensor(shape=[2, 5], data=[1, 2, 3, 4, 5, 1, 2, 3, 4, 3.4e38])]},
        "The prediction for row 1 is beyond float32",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_with_a_request_is_a_400_with_error_in_words(client: httpx.Client, kind: str) -> None:
    body, text = BAD[kind]

    answer = infer(client, **body)

    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].startswith(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_a_400_in_words(client: httpx.Client, number: str) -> None:
    content = BODY.replace(b"5]}]", number.encode() + b"]}]")

    answer = client.post(f"{LSTM}/infer", content=content)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(FINITE)


@pytest.mark.parametrize("content", [b"", b"window", b'{"inputs": [1, 2', b'{"inp\xffuts": []}', b"[" * 250_000])
def test_a_body_that_is_not_json_is_a_400(client: httpx.Client, content: bytes) -> None:
    answer = client.post(f"{LSTM}/infer", content=content)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The body is not JSON: ")


NOT_FOUND = [
    "/v2/models/gru",
    "/v2/models/gru/ready",
    "/v2/models/gru/versions/1/ready",
    f"{LSTM}/versions/9",
    f"{LSTM}/versions/9/ready",
    f"{LSTM}/versions/one",
    f"{LSTM}/versions/{'9' * 5000}",
    "/v2/nothing",
]


@pytest.mark.parametrize("path", NOT_FOUND)
def test_what_is_not_there_is_a_404_with_error(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]
    assert len(answer.content) < 300


@pytest.mark.parametrize("path", ["/v2/models/gru", f"{LSTM}/versions/9", f"{LSTM}/versions/x"])
def test_an_inference_of_what_is_not_there_is_a_404_with_error(client: httpx.Client, path: str) -> None:
    answer = infer(client, path)

    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_another_method_is_a_405_with_error(client: httpx.Client) -> None:
    answer = client.get(f"{LSTM}/infer")

    assert (answer.status_code, answer.json()) == (405, {"error": "Method Not Allowed"})
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "json"])
def test_another_content_type_is_a_415_with_error(client: httpx.Client, content_type: str) -> None:
    answer = client.post(f"{LSTM}/infer", content=b"{}", headers={"Content-Type": content_type})

    assert answer.status_code == 415
    assert answer.json() == {"error": "Content-Type must be application/json or application/octet-stream"}


def test_an_index_that_is_asked_for_with_no_json_is_a_400(client: httpx.Client) -> None:
    answer = client.post("/v2/repository/index", content=b"ready")

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
