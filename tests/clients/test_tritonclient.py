"""tritonclient, its sync and aio versions, against a running service."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

from tests.server import Server

WINDOWS = np.array([[1, 2, 3, 4, 5], [996, 997, 998, 999, 1000]], np.float32)
ALGORITHMS = [None, "gzip", "deflate"]


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with triton.InferenceServerClient(server.url.removeprefix("http://")) as client:
        yield client


def run(server: Server, ask: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """The result of a coroutine that gets the aio client."""

    async def main() -> Any:
        async with triton_aio.InferenceServerClient(server.url.removeprefix("http://")) as client:
            return await ask(client)

    return asyncio.run(main())


def window(*, binary: bool = True, rows: np.ndarray = WINDOWS, datatype: str = "FP32") -> Any:
    source = triton.InferInput("window", list(rows.shape), datatype)
    source.set_data_from_numpy(rows, binary_data=binary)
    return source


def prediction(*, binary: bool) -> Any:
    return triton.InferRequestedOutput("prediction", binary_data=binary)


def check(result: Any) -> None:
    predictions = result.as_numpy("prediction")
    assert predictions.shape == (2, 1)
    assert predictions.dtype == np.float32
    assert predictions[0, 0] == pytest.approx(7.8, abs=0.01)


def test_the_server_and_its_models_are_live_and_ready(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("lstm")
    assert client.is_model_ready("lstm", "1")
    assert not client.is_model_ready("lstm", "9")
    assert not client.is_model_ready("gru")


def test_metadata_and_index_are_understood(client: Any) -> None:
    metadata = client.get_model_metadata("lstm", "1")

    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data", "model_repository"]
    assert metadata["versions"] == ["1", "2"]
    assert metadata["inputs"] == [{"name": "window", "datatype": "FP32", "shape": [-1, 5, 1]}]
    assert {entry["name"] for entry in client.get_model_repository_index()} == {"lstm", "mlp"}


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_json_and_binary_go_in_and_come_out(client: Any, *, binary_in: bool, binary_out: bool | None) -> None:
    outputs = None if binary_out is None else [prediction(binary=binary_out)]

    result = client.infer("lstm", [window(binary=binary_in)], outputs=outputs, request_id="42")

    check(result)
    assert result.get_response()["id"] == "42"
    assert result.get_response()["model_version"] == "2"
    assert result.get_response()["parameters"] == {"extrapolated": True}


def test_a_version_is_asked_by_its_address(client: Any) -> None:
    assert client.infer("lstm", [window()], model_version="1").get_response()["model_version"] == "1"


@pytest.mark.parametrize("request_algorithm", ALGORITHMS)
@pytest.mark.parametrize("response_algorithm", ALGORITHMS)
def test_bodies_are_compressed_both_ways(
    client: Any, request_algorithm: str | None, response_algorithm: str | None
) -> None:
    options = {
        "request_compression_algorithm": request_algorithm,
        "response_compression_algorithm": response_algorithm,
    }

    check(client.infer("lstm", [window()], **options))
    check(client.infer("lstm", [window(binary=False)], outputs=[prediction(binary=False)], **options))


@pytest.mark.parametrize(("datatype", "dtype"), [("FP16", np.float16), ("FP64", np.float64), ("INT64", np.int64)])
def test_other_datatypes_are_converted(client: Any, datatype: str, dtype: type) -> None:
    check(client.infer("lstm", [window(rows=WINDOWS.astype(dtype), datatype=datatype)]))


def test_a_request_is_answered_from_another_thread(client: Any) -> None:
    check(client.async_infer("lstm", [window()]).get_result())


@pytest.mark.parametrize(
    ("model", "version", "status", "text"),
    [
        ("gru", "", "404", "there is no such model; the models are lstm, mlp"),
        ("lstm", "9", "404", "this version of lstm is not kept; the kept ones are 1, 2"),
        ("mlp", "", "400", "mlp takes one input, 'value'"),
    ],
)
def test_what_is_wrong_is_raised_with_its_status_and_text(
    client: Any, model: str, version: str, status: str, text: str
) -> None:
    with pytest.raises(InferenceServerException) as caught:
        client.infer(model, [window()], model_version=version)

    assert (caught.value.status(), caught.value.message()) == (status, text)


def test_a_window_that_is_not_finite_is_refused_in_words(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="finite numbers only"):
        client.infer("lstm", [window(rows=np.full((1, 5), np.nan, np.float32))])


def test_the_aio_client_finds_the_server_ready_and_reads_its_metadata(server: Server) -> None:
    assert run(server, lambda client: client.is_server_live())
    assert run(server, lambda client: client.is_server_ready())
    assert run(server, lambda client: client.is_model_ready("lstm", "1"))
    assert run(server, lambda client: client.get_model_metadata("mlp"))["platform"] == "litert"


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_aio_client_infers_in_json_and_binary_compressed_and_not(
    server: Server, algorithm: str | None, *, binary: bool
) -> None:
    options = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    outputs = [prediction(binary=binary)]

    check(run(server, lambda client: client.infer("lstm", [window(binary=binary)], outputs=outputs, **options)))


def test_the_aio_client_raises_what_is_wrong(server: Server) -> None:
    with pytest.raises(InferenceServerException, match="there is no such model"):
        run(server, lambda client: client.infer("gru", [window()]))
