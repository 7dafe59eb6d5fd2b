"""The wire of the inference protocols: what their requests and answers look like, and the reading of a v2 request."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.inference.errors import BadInput, NotJSON
from service.protocols.http_errors import DESCRIPTIONS

INT64_MAX = 2**63 - 1
FEW = 16  # more axes, inputs or outputs nobody has
Size = Annotated[int, Field(ge=0, le=INT64_MAX)]
Number = float | int
Tensor = list[Number] | list[list[Number]] | list[list[list[Number]]]


class ProtocolFailure(BaseModel):
    """What is wrong, in words."""

    error: str


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation of a protocol can go wrong with, for the documents."""
    bad = "Not of the protocol's form, not JSON, or not a tensor that the model takes"
    descriptions = {**DESCRIPTIONS, 400: bad}
    return {code: {"model": ProtocolFailure, "description": descriptions[code]} for code in statuses}


class _Request(BaseModel):
    """Strict in its types; what it does not know is another server's extension, and ignored."""

    model_config = ConfigDict(strict=True)

    @classmethod
    def parse(cls, content: bytes | memoryview) -> Self:
        """Read the JSON of a request. Raises NotJSON or BadInput."""
        try:
            return cls.model_validate_json(bytes(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise NotJSON(f"The body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
        raise BadInput(f"{'.'.join(map(str, first['loc'])) or 'The body'}: {first['msg']}")


class TensorParameters(_Request):
    """How the bytes of an input come."""

    binary_data_size: Size | None = Field(None, description="bytes of this tensor behind the JSON, instead of data")


class InputTensor(_Request):
    """A batch of windows, or of values."""

    name: str
    shape: list[Size] = Field(max_length=FEW)
    datatype: str = Field(description="FP16, FP32, FP64, or an integer type such as INT64")
    parameters: TensorParameters | None = None
    data: Any = Field(None, json_schema_extra={"type": "array"}, description="numbers, flat or nested as the shape is")


class OutputParameters(_Request):
    """How an output is wanted."""

    binary_data: bool | None = None
    classification: Any = Field(None, exclude=True)
    shared_memory_region: Any = Field(None, exclude=True)


class RequestedOutput(_Request):
    """An output that is asked for."""

    name: str
    parameters: OutputParameters | None = None


class RequestParameters(_Request):
    """How all outputs are wanted that say nothing else."""

    binary_data_output: bool | None = None


class InferRequest(_Request):
    """An inference request."""

    id: str | None = None
    parameters: RequestParameters | None = None
    inputs: list[InputTensor] = Field(max_length=FEW)
    outputs: list[RequestedOutput] | None = Field(None, max_length=FEW)


class IndexRequest(_Request):
    """Which versions are asked for."""

    ready: bool = Field(default=False, description="only those that answer")


class OutputTensor(BaseModel):
    """Predictions, a row for each row of the input."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferResponse(BaseModel):
    """An inference response."""

    model_name: str
    model_version: str
    id: str = Field("", description="the request's, if it has one")
    parameters: dict[str, bool] = Field(description="extrapolated: whether a value lies outside the trained range")
    outputs: list[OutputTensor]


class ServerMetadata(BaseModel):
    """What the server is, and which extensions of the protocol it speaks."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """The process is there."""

    live: bool = True


class ServerReady(BaseModel):
    """Every model is live."""

    ready: bool = True
    live: bool = True


class ModelReady(BaseModel):
    """The model answers."""

    name: str
    ready: bool = True


class MetadataTensor(BaseModel):
    """An input or output; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What a model takes and gives, and the versions that can be asked for."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[MetadataTensor]
    outputs: list[MetadataTensor]


class IndexEntry(BaseModel):
    """A version in the repository, whether it answers, and if not, why."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str = ""


class PredictRequest(BaseModel):
    """Rows, or a tensor: one of the two."""

    signature_name: str = "serving_default"
    instances: list[Any] | None = Field(None, description="a row each: a window, a value, or an object with it")
    inputs: Any = Field(None, description="all rows in one tensor, or an object with it")


class PredictResponse(BaseModel):
    """A row of one prediction for each row of the request, under the key that goes with the request's."""

    predictions: list[list[float]] | None = Field(None, description="to instances")
    outputs: list[list[float]] | None = Field(None, description="to inputs")


class VersionStatus(BaseModel):
    """A version, whether it answers, and if not, why."""

    version: str
    state: Literal["AVAILABLE", "END"]
    status: dict[Literal["error_code", "error_message"], str]


class ModelStatus(BaseModel):
    """The versions of a model, highest first; and for KServe, whether it is ready."""

    model_version_status: list[VersionStatus]
    name: str
    ready: bool = True


class ModelNames(BaseModel):
    """The models that are served."""

    models: list[str]
