"""TensorFlow Serving REST API: its documentation and its own tests, applied to the shipped models.

Sources: tensorflow/serving, tensorflow_serving/g3doc/api_rest.md, model_servers/http_rest_api_handler_test.cc,
util/json_tensor.cc. Their model is half_plus_two or half_plus_three: texts and shapes are theirs, numbers are not.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from artifact import LITERT_FILE
from tests.repository import add_version, copy_of_shipped
from tests.server import Server, running

LSTM, MLP = "/v1/models/lstm", "/v1/models/mlp"
AVAILABLE = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}

PREDICTIONS: dict[str, tuple[str, dict[str, Any], dict[str, list[list[float]]]]] = {
    "rows of scalars": (MLP, {"instances": [2.0, 5.0]}, {"predictions": [[2.4], [7.8]]}),
    "rows of lists": (MLP, {"instances": [[2.0], [5.0]]}, {"predictions": [[2.4], [7.8]]}),
    "rows as objects": (MLP, {"instances": [{"value": 2}, {"value": 5}]}, {"predictions": [[2.4], [7.8]]}),
    "rows as objects of windows": (LSTM, {"instances": [{"window": [1, 2, 3, 4, 5]}]}, {"predictions": [[7.8]]}),
    "windows": (LSTM, {"instances": [[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]]}, {"predictions": [[7.8], [9.6]]}),
    "windows with their last axis": (LSTM, {"instances": [[[1], [2], [3], [4], [5]]]}, {"predictions": [[7.8]]}),
    "a named signature": (MLP, {"signature_name": "serving_default", "instances": [5]}, {"predictions": [[7.8]]}),
    "a column": (MLP, {"inputs": [2.0, 5.0]}, {"outputs": [[2.4], [7.8]]}),
    "a column by its name": (LSTM, {"inputs": {"window": [[1, 2, 3, 4, 5]]}}, {"outputs": [[7.8]]}),
    "a column of a named signature": (
        MLP,
        {"signature_name": "serving_default", "inputs": [[5.0]]},
        {"outputs": [[7.8]]},
    ),
}


@pytest.mark.parametrize("version", ["", "/versions/1"])
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_predict_answers_rows_with_predictions_and_columns_with_outputs(
    client: httpx.Client, kind: str, version: str
) -> None:
    model, body, expected = PREDICTIONS[kind]

    answer = client.post(f"{model}{version}:predict", json=body)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    ((key, rows),) = expected.items()
    assert answer.json() == {key: [[pytest.approx(row[0], abs=0.01)] for row in rows]}


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_the_content_type_is_ignored(client: httpx.Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    assert client.post(f"{MLP}:predict", content=b'{"instances": [5]}', headers=headers).status_code == 200


ELEMENT, INVALID = "Failed to process element:", "Error: INVALID_ARGUMENT:"
NAN = "takes finite numbers only: no NaN, no Infinity, and nothing beyond float32 or its datatype"
ERRORS: dict[str, tuple[str, str, int, str]] = {
    "nothing": (f"{MLP}:predict", "", 400, "JSON Parse error: The document is empty"),
    "no JSON": (f"{MLP}:predict", "instances = [1, 2]", 400, "JSON Parse error: "),
    "no object": (f"{MLP}:predict", "[1]", 400, "JSON Value: Is not object"),
    "neither key": (f"{MLP}:predict", "{}", 400, "Missing 'inputs' or 'instances' key"),
    "both keys": (
        f"{MLP}:predict",
        '{"instances": [1], "inputs": [1]}',
        400,
        "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
    ),
    "no list": (f"{MLP}:predict", '{"instances": 5}', 400, "Excepting 'instances' to be an list/array"),
    "no rows": (f"{MLP}:predict", '{"instances": []}', 400, "No values in 'instances' array"),
    "a signature that is no string": (
        f"{MLP}:predict",
        '{"signature_name": 100}',
        400,
        "JSON Value: not formatted correctly. 'signature_name' key must be a string value.",
    ),
    "another signature": (
        f"{MLP}:predict",
        '{"signature_name": "x", "instances": [1]}',
        400,
        'Serving signature name: "x" not found in signature def',
    ),
    "strings": (
        f"{MLP}:predict",
        '{"instances": ["x", "y"]}',
        400,
        f"{ELEMENT} 0 of 'instances' list. {INVALID} JSON Value of Type: String is not of expected type: float",
    ),
    "a row of another length": (
        f"{LSTM}:predict",
        '{"instances": [{"window": [1, 2, 3, 4, 5]}, {"window": [1]}]}',
        400,
        f"{ELEMENT} 1 key: window of 'instances' list. {INVALID} Expecting tensor size: 5 but got: 1",
    ),
    "a row of another shape": (
        f"{MLP}:predict",
        '{"instances": [1, [1]]}',
        400,
        f"{ELEMENT} 1 of 'instances' list. {INVALID} Expecting shape [] but got: [1]",
    ),
    "a ragged row": (
        f"{LSTM}:predict",
        '{"instances": [[[1], [2, 3]]]}',
        400,
        f"{ELEMENT} 0 of 'instances' list. {INVALID} Encountered list at unexpected size: 2 at level: 1",
    ),
    "a list among objects": (
        f"{MLP}:predict",
        '{"instances": [{"value": 1}, 5]}',
        400,
        "Expecting object but got list at item 1 of input list",
    ),
    "an object among values": (
        f"{MLP}:predict",
        '{"instances": [5, {"value": 1}]}',
        400,
        "Expecting value/list but got object at item 1 of input list",
    ),
    "another input": (
        f"{MLP}:predict",
        '{"instances": [{"x": 1}]}',
        400,
        f"{ELEMENT} 0 of 'instances' list. JSON object: keys must be equal to: value",
    ),
    "a missing column": (
        f"{MLP}:predict",
        '{"inputs": {"x": 1}}',
        400,
        "Missing named input: value in 'inputs' object.",
    ),
    "another shape": (f"{LSTM}:predict", '{"instances": [[1]]}', 400, "'window' takes the shape [-1, 5, 1] or [-1, 5]"),
    "NaN": (f"{MLP}:predict", '{"instances": [NaN]}', 400, f"'value' {NAN}"),
    "Infinity": (f"{MLP}:predict", '{"inputs": [-Infinity]}', 400, f"'value' {NAN}"),
    "1e39": (f"{MLP}:predict", '{"inputs": [1e39]}', 400, f"'value' {NAN}"),
    "a prediction beyond float32": (f"{MLP}:predict", '{"instances": [1, 3.4e38]}', 400, "The prediction for row 1"),
    "an unknown model": (
        "/v1/models/half:predict",
        '{"instances": [1.0,5.0]}',
        404,
        "Servable not found for request: Latest(half)",
    ),
    "an unknown version": (
        f"{LSTM}/versions/9:predict",
        '{"instances": [1]}',
        404,
        "Servable not found for request: Specific(lstm, 9)",
    ),
    "a version that is no number": (
        f"{LSTM}/versions/HELLO:predict",
        "",
        400,
        "Malformed request: POST /v1/models/lstm/versions/HELLO:predict",
    ),
    "a version beyond int64": (
        f"{LSTM}/versions/18446744073709551615:predict",
        "",
        400,
        "Failed to convert version: 18446744073709551615 to numeric.",
    ),
    "classify": (f"{LSTM}:classify", "{}", 400, "Malformed request: POST /v1/models/lstm:classify"),
    "a POST for metadata": (f"{LSTM}/metadata", "{}", 400, "Malformed request: POST /v1/models/lstm/metadata"),
    "a POST for the models": ("/v1/models", "{}", 400, "Malformed request: POST /v1/models"),
    "another path": ("/v1/foo", "{}", 400, "Malformed request: POST /v1/foo"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_what_is_wrong_is_said_in_the_words_of_tensorflow_serving(client: httpx.Client, kind: str) -> None:
    path, content, status, text = ERRORS[kind]

    answer = client.post(path, content=content)

    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].startswith(text)


GET_ERRORS = {
    "/v1/models/half": (404, "Could not find any versions of model half"),
    "/v1/models/lstm/versions/9": (404, "Could not find version 9 of model lstm"),
    "/v1/models/half/versions/1": (404, "Could not find any versions of model half"),
    "/v1/models/half/metadata": (404, "Servable not found for request: Latest(half)"),
    "/v1/models/lstm/versions/9/metadata": (404, "Servable not found for request: Specific(lstm, 9)"),
    "/v1/models/lstm:predict": (400, "Malformed request: GET /v1/models/lstm:predict"),
    "/v1/models/lstm/versions/1:predict": (400, "Malformed request: GET /v1/models/lstm/versions/1:predict"),
    "/v1/models/debug/model_name": (400, "Malformed request: GET /v1/models/debug/model_name"),
    "/v1/foo": (400, "Malformed request: GET /v1/foo"),
}


@pytest.mark.parametrize("path", GET_ERRORS)
def test_what_cannot_be_shown_is_told_in_the_words_of_tensorflow_serving(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()) == (GET_ERRORS[path][0], {"error": GET_ERRORS[path][1]})


@pytest.mark.parametrize("path", [LSTM, f"{LSTM}:predict", f"{LSTM}/metadata", "/v1/models"])
def test_a_method_that_is_neither_get_nor_post_is_a_405(client: httpx.Client, path: str) -> None:
    answer = client.put(path)

    assert (answer.status_code, answer.json()) == (405, {"error": "Method Not Allowed"})


@pytest.mark.parametrize("path", [LSTM, f"{LSTM}/versions/1"])
def test_the_status_of_a_model_has_its_versions_and_the_fields_of_kserve(client: httpx.Client, path: str) -> None:
    assert client.get(path).json() == {"model_version_status": [AVAILABLE], "name": "lstm", "ready": True}


def test_a_refused_version_has_ended_and_says_why(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    (add_version(models_dir, "lstm", 2) / LITERT_FILE).unlink()

    with running(tmp_path / "log", models_dir=models_dir) as server, httpx.Client(base_url=server.url) as client:
        whole, refused = client.get(LSTM).json(), client.get(f"{LSTM}/versions/2").json()

    reason = {"error_code": "FAILED_PRECONDITION", "error_message": "lstm/2/model.tflite: No such file or directory"}
    ended = {"version": "2", "state": "END", "status": reason}
    assert whole == {"model_version_status": [ended, AVAILABLE], "name": "lstm", "ready": True}
    assert refused == {"model_version_status": [ended], "name": "lstm", "ready": False}


def test_the_models_are_listed_and_the_root_is_alive_as_kserve_asks_it(client: httpx.Client) -> None:
    assert client.get("/v1/models").json() == {"models": ["lstm", "mlp"]}
    assert client.get("/").json() == {"status": "alive"}


@pytest.mark.parametrize("version", ["", "/versions/1"])
@pytest.mark.parametrize(("name", "key", "axes"), [("lstm", "window", ["-1", "5", "1"]), ("mlp", "value", ["-1", "1"])])
def test_the_metadata_is_the_signature_as_tensorflow_serving_writes_it(
    client: httpx.Client, name: str, key: str, axes: list[str], version: str
) -> None:
    answer = client.get(f"/v1/models/{name}{version}/metadata").json()

    assert answer["model_spec"] == {"name": name, "signature_name": "", "version": "1"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"] == {key: tensor_info(f"serving_default_{key}:0", axes)}
    assert signature["outputs"] == {"prediction": tensor_info("StatefulPartitionedCall:0", ["-1", "1"])}


def tensor_info(name: str, axes: list[str]) -> dict[str, Any]:
    shape = {"dim": [{"size": size, "name": ""} for size in axes], "unknown_rank": False}
    return {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": name}


def test_more_rows_than_allowed_are_refused(client: httpx.Client) -> None:
    answer = client.post(f"{MLP}:predict", json={"instances": [1] * 100_001})

    assert (answer.status_code, answer.json()) == (400, {"error": "'value' takes 1 to 100000 rows, not 100001"})


def test_a_compressed_body_is_a_415(client: httpx.Client) -> None:
    answer = client.post(f"{MLP}:predict", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["error"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: apt-get install curl")
def test_plain_curl_makes_the_round_trip_of_the_documentation(server: Server) -> None:
    def curl(*arguments: str) -> str:
        return subprocess.run(["curl", "--silent", *arguments], check=True, capture_output=True, text=True).stdout

    status = curl(f"{server.url}{MLP}")
    answer = curl("-d", '{"instances": [1.0,2.0,5.0]}', "-X", "POST", f"{server.url}{MLP}:predict")

    assert '"state":"AVAILABLE"' in status
    assert answer.startswith('{"predictions":[[')
