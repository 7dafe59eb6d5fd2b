"""The Open Inference working group's generated client and pydantic-open-inference, against a running service."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.errors.bad_request_error import BadRequestError
from open_inference.openapi.errors.not_found_error import NotFoundError
from open_inference.openapi.types import InferenceRequest, RequestInput, RequestOutput
from pydantic_open_inference import BadStatusCodeFromServerError, InputsBaseModel, OutputsBaseModel, RemoteModel

from tests.server import Server


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    yield OpenInferenceClient(base_url=server.url)  # noqa: PT022 - it has nothing to close


def request(**changes: Any) -> Any:
    source = RequestInput(
        **{"name": "window", "shape": [1, 5, 1], "datatype": "FP32", "data": [1, 2, 3, 4, 5]} | changes
    )
    return InferenceRequest(id="42", inputs=[source], outputs=[RequestOutput(name="prediction")])


def test_the_generated_client_finds_the_server_live_and_ready(client: Any) -> None:
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("lstm")
    client.check_model_version_readiness("lstm", "1")


def test_the_generated_client_reads_the_metadata(client: Any) -> None:
    assert client.read_server_metadata().name == "lagcast"
    assert client.read_model_metadata("mlp").inputs[0].shape == [-1, 1]
    assert client.read_model_version_metadata("lstm", "1").versions == ["1", "2"]


def test_the_generated_client_infers(client: Any) -> None:
    latest, first = (
        client.model_infer("lstm", request=request()),
        client.model_version_infer("lstm", "1", request=request()),
    )

    assert (latest.model_version, first.model_version) == ("2", "1")
    assert latest.id == first.id == "42"
    assert latest.outputs[0].data.__root__ == [pytest.approx(7.8, abs=0.01)]


def test_the_generated_client_raises_what_is_wrong(client: Any) -> None:
    with pytest.raises(NotFoundError) as not_ready:
        client.check_model_readiness("gru")
    with pytest.raises(BadRequestError) as bad:
        client.model_infer("lstm", request=request(shape=(1, 4)))

    assert not_ready.value.body == {"error": "there is no such model; the models are lstm, mlp"}
    assert bad.value.body["error"].startswith("'window' takes the shape [-1, 5, 1]")


class Value(NamedTuple):
    x: float


class Row(NamedTuple):
    prediction: float


class Values(InputsBaseModel):
    value: list[Value]


class Windows(InputsBaseModel):
    window: list[list[Value]]


class Predictions(OutputsBaseModel):
    prediction: list[Row]


def remote(server: Server, name: str, inputs: type[InputsBaseModel], version: str | None = None) -> Any:
    return RemoteModel(
        model_name=name,
        model_version=version,
        inputs_model=inputs,
        outputs_model=Predictions,
        server_url=server.url,
    )


def test_pydantic_models_are_validated_against_the_metadata_and_inferred(server: Server) -> None:
    model = remote(server, "mlp", Values)

    model.validate()
    answer = model.infer(Values(value=[Value(2), Value(5)]))

    assert model.is_ready()
    assert [row.prediction for row in answer.prediction] == pytest.approx([2.4, 7.8], abs=0.01)


@pytest.mark.parametrize("version", [None, "1"])
def test_pydantic_models_of_windows_are_inferred(server: Server, version: str | None) -> None:
    """The validator of pydantic-open-inference has no type for three axes with a fixed middle one."""
    window = [Value(x) for x in (1, 2, 3, 4, 5)]

    answer = remote(server, "lstm", Windows, version).infer(Windows(window=[window, window]))

    assert [row.prediction for row in answer.prediction] == pytest.approx([7.8, 7.8], abs=0.01)


def test_pydantic_open_inference_raises_what_is_wrong(server: Server) -> None:
    unknown = remote(server, "gru", Values)

    assert not unknown.is_ready()
    with pytest.raises(BadStatusCodeFromServerError) as caught:
        unknown.infer(Values(value=[Value(5)]))
    assert caught.value.status_code == 404
