"""Binary tensor extension of the Open Inference Protocol v2: the sizes in requests and answers."""

import json
import zlib
from typing import Any

import httpx
import numpy as np
import pytest

LSTM = "/v2/models/lstm/infer"
HEADER = "inference-header-content-length"
WINDOWS = np.array([[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]], "<f4")
BINARY_OUT = [{"name": "prediction", "parameters": {"binary_data": True}}]


def header(size: Any = None, **changes: Any) -> dict[str, Any]:
    parameters = {} if size is None else {"parameters": {"binary_data_size": size}}
    tensor = {"name": "window", "shape": [2, 5], "datatype": "FP32", **parameters}
    return {"inputs": [tensor | changes.pop("tensor", {})]} | changes


def post(
    client: httpx.Client, document: dict[str, Any], tensor: bytes = b"", length: object = None, **headers: str
) -> httpx.Response:
    content = json.dumps(document).encode()
    headers |= {"Inference-Header-Content-Length": str(len(content) if length is None else length)}
    return client.post(LSTM, content=content + tensor, headers=headers)


def predictions(answer: httpx.Response) -> list[float]:
    """The binary data after the JSON of an answer; checks that the sizes agree."""
    length = int(answer.headers[HEADER])
    (output,) = json.loads(answer.content[:length])["outputs"]
    tensor = answer.content[length:]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "data" not in output
    assert output["parameters"] == {"binary_data_size": len(tensor)}
    assert output["shape"] == [len(tensor) / 4, 1]
    numbers: list[float] = np.frombuffer(tensor, "<f4").tolist()
    return numbers


@pytest.fixture
def expected(client: httpx.Client) -> list[float]:
    answer = client.post("/predict/lstm/batch", json={"windows": WINDOWS.tolist()})
    return [float(np.float32(number)) for number in answer.json()["predictions"]]


def test_binary_in_and_json_out(client: httpx.Client, expected: list[float]) -> None:
    answer = post(client, header(40, id="7"), WINDOWS.tobytes())

    assert answer.headers["content-type"] == "application/json"
    assert HEADER not in answer.headers
    assert answer.json()["id"] == "7"
    assert np.array(answer.json()["outputs"][0]["data"], np.float32).tolist() == expected


@pytest.mark.parametrize(
    "wanted",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": BINARY_OUT},
        {"parameters": {"binary_data_output": False}, "outputs": BINARY_OUT},
        {"parameters": {"binary_data_output": True}, "outputs": [{"name": "prediction"}]},
    ],
)
def test_binary_in_and_binary_out(client: httpx.Client, expected: list[float], wanted: dict[str, Any]) -> None:
    assert predictions(post(client, header(40, **wanted), WINDOWS.tobytes())) == expected


def test_json_in_and_binary_out(client: httpx.Client, expected: list[float]) -> None:
    document = header(tensor={"data": WINDOWS.tolist()}, outputs=BINARY_OUT)

    assert predictions(client.post(LSTM, json=document)) == expected


def test_what_is_said_of_an_output_goes_before_what_is_said_of_all(client: httpx.Client) -> None:
    json_out = [{"name": "prediction", "parameters": {"binary_data": False}}]

    answer = post(client, header(40, parameters={"binary_data_output": True}, outputs=json_out), WINDOWS.tobytes())

    assert "data" in answer.json()["outputs"][0]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_bytes_of_other_datatypes_are_converted(client: httpx.Client, expected: list[float], dtype: str) -> None:
    kind = {"f": "FP", "i": "INT", "u": "UINT"}[dtype[0]]
    tensor = WINDOWS.astype(f"<{dtype}").tobytes()

    answer = post(client, header(len(tensor), tensor={"datatype": f"{kind}{8 * int(dtype[1])}"}), tensor)

    assert np.array(answer.json()["outputs"][0]["data"], np.float32).tolist() == expected


def test_a_header_of_no_length_is_a_bare_tensor_and_answered_in_binary(
    client: httpx.Client, expected: list[float]
) -> None:
    answer = client.post(LSTM, content=WINDOWS.tobytes(), headers={HEADER: "0"})

    assert predictions(answer) == expected


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_tensor_comes_and_goes_with_the_lengths_of_what_is_in_it(
    client: httpx.Client, expected: list[float], encoding: str
) -> None:
    document = json.dumps(header(40, outputs=BINARY_OUT)).encode()
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    content = packer.compress(document + WINDOWS.tobytes()) + packer.flush()
    headers = {HEADER: str(len(document)), "Content-Encoding": encoding, "Accept-Encoding": encoding}

    answer = client.post(LSTM, content=content, headers=headers)

    assert answer.headers["content-encoding"] == encoding
    assert predictions(answer) == expected


TENSOR = WINDOWS.tobytes()
NOT_FINITE = np.full(10, np.nan, "<f4").tobytes()
BAD: dict[str, tuple[dict[str, Any], bytes, object, str]] = {
    "a negative size": (header(-1), TENSOR, None, "inputs.0.parameters.binary_data_size: Input should be greater"),
    "a size beyond int64": (header(2**63), TENSOR, None, "inputs.0.parameters.binary_data_size: Input should be less"),
    "a size in words": (header("40"), TENSOR, None, "inputs.0.parameters.binary_data_size: Input should be a valid"),
    "a size that is true": (header(size=True), TENSOR, None, "inputs.0.parameters.binary_data_size: Input should be a"),
    "a size with a fraction": (header(40.5), TENSOR, None, "inputs.0.parameters.binary_data_size: Input should be a"),
    "a size that the shape has not": (header(36), TENSOR[:36], None, "A tensor of the shape [2, 5] has 40 bytes"),
    "more bytes than the size": (header(40), TENSOR + b"x", None, "41 bytes follow the JSON"),
    "fewer bytes than the size": (header(40), TENSOR[:39], None, "39 bytes follow the JSON"),
    "no bytes": (header(40), b"", None, "0 bytes follow the JSON"),
    "bytes that nothing is said of": (
        header(tensor={"data": [1.0] * 10}),
        TENSOR,
        None,
        "40 bytes follow the JSON, where binary_data_size says 0",
    ),
    "data and bytes": (header(40, tensor={"data": [1.0] * 10}), TENSOR, None, "'window' needs its numbers either in"),
    "neither data nor bytes": (header(), b"", None, "'window' needs its numbers either in data or"),
    "a shape whose product overflows": (
        header(40, tensor={"shape": [2**62, 5]}),
        TENSOR,
        None,
        "'window' takes 1 to 100000 rows",
    ),
    "BYTES": (header(40, tensor={"datatype": "BYTES"}), TENSOR, None, "The datatype of 'window' must be one of"),
    "NaN": (header(40), NOT_FINITE, None, "'window' takes finite numbers only"),
    "a header that is too long": (header(40), TENSOR, 10**6, "Inference-Header-Content-Length is 1000000, but the"),
    "a header that is cut short": (header(40), TENSOR, 5, "The body is not JSON"),
    "a header that runs over": (header(40), TENSOR, 120, "The body is not JSON"),
    "a negative length": (header(40), TENSOR, -1, "Inference-Header-Content-Length must be the length"),
    "a length in words": (header(40), TENSOR, "five", "Inference-Header-Content-Length must be the length"),
    "a length of many digits": (header(40), TENSOR, "9" * 5000, "Inference-Header-Content-Length must be the length"),
    "a bare tensor with bytes left over": ({}, TENSOR, 0, "A bare tensor is FP32, 20 bytes a row; 2 are left over"),
}


@pytest.mark.parametrize("kind", BAD)
def test_every_size_is_checked(client: httpx.Client, kind: str) -> None:
    document, tensor, length, text = BAD[kind]

    answer = post(client, document, tensor, length)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(text)


def test_a_bare_tensor_of_nothing_is_refused(client: httpx.Client) -> None:
    answer = client.post(LSTM, content=b"", headers={HEADER: "0"})

    assert (answer.status_code, answer.json()) == (400, {"error": "'window' takes 1 to 100000 rows, not 0"})
