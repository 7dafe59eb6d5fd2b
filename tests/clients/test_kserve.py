"""KServe's InferenceRESTClient, with both of its protocols, against a running service."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import numpy as np
import pytest
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from tests.server import Server

WINDOWS = np.array([[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]], np.float32)


def run(protocol: str, ask: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        async with InferenceRESTClient(RESTConfig(protocol=protocol)) as client:
            return await ask(client)

    return asyncio.run(main())


def request(*, binary: bool, outputs: list[Any] | None = None) -> Any:
    source = InferInput("window", list(WINDOWS.shape), "FP32")
    source.set_data_from_numpy(WINDOWS, binary_data=binary)
    return InferRequest("lstm", [source], request_id="42", request_outputs=outputs)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_the_server_is_live_and_its_model_ready(server: Server, protocol: str) -> None:
    assert run(protocol, lambda client: client.is_server_live(server.url))
    assert run(protocol, lambda client: client.is_model_ready(server.url, "lstm"))


def test_the_server_is_ready(server: Server) -> None:
    assert run("v2", lambda client: client.is_server_ready(server.url)) is True


def test_an_unknown_model_is_not_ready(server: Server) -> None:
    assert not run("v2", lambda client: client.is_model_ready(server.url, "gru"))
    with pytest.raises(httpx.HTTPStatusError, match="Could not find any versions of model gru"):
        run("v1", lambda client: client.is_model_ready(server.url, "gru"))


def test_the_first_protocol_predicts(server: Server) -> None:
    data = {"instances": WINDOWS.tolist()}

    answer = run("v1", lambda client: client.infer(server.url, data, model_name="lstm"))

    assert [row[0] for row in answer["predictions"]] == pytest.approx([7.8, 9.6], abs=0.01)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("wanted", [None, True, False])
def test_the_second_protocol_infers_in_json_and_in_binary(server: Server, *, wanted: bool | None, binary: bool) -> None:
    outputs = None if wanted is None else [RequestedOutput("prediction", {"binary_data": wanted})]

    answer = run(
        "v2", lambda client: client.infer(server.url, request(binary=binary, outputs=outputs), model_name="lstm")
    )

    assert answer.id == "42"
    assert answer.model_name == "lstm"  # the version it reads over
    assert answer.outputs[0].as_numpy().ravel() == pytest.approx([7.8, 9.6], abs=0.01)


@pytest.mark.parametrize(
    ("protocol", "data", "model", "text"),
    [
        ("v1", {"instances": [["x"]]}, "lstm", "not of expected type: float"),
        ("v1", {"instances": [1]}, "gru", "Servable not found for request"),
        ("v2", {"inputs": []}, "lstm", "takes one input, 'window'"),
        ("v2", {"inputs": []}, "gru", "there is no such model"),
    ],
)
def test_what_is_wrong_is_raised_with_its_text(
    server: Server, protocol: str, data: dict[str, Any], model: str, text: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=text):
        run(protocol, lambda client: client.infer(server.url, data, model_name=model))
