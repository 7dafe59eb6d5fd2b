"""Requests and responses of the Open Inference Protocol v2."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from service.protocols.request import JSONRequest

INT64_MAX = 2**63 - 1
MAX_LEVELS = 20  # each has as many numbers in the answer as the forecast itself, twice
FEW = 16  # axes, inputs or outputs; real requests have one or two
Size = Annotated[int, Field(ge=0, le=INT64_MAX)]
Number = float | int
Tensor = list[Number] | list[list[Number]] | list[list[list[Number]]]


class TensorParameters(JSONRequest):
    """Where the numbers of an input are."""

    binary_data_size: Size | None = Field(None, description="bytes of this tensor after the JSON, instead of data")


class InputTensor(JSONRequest):
    """A batch of windows, or of values."""

    name: str
    shape: list[Size] = Field(max_length=FEW)
    datatype: str = Field(description="FP16, FP32, FP64, or an integer type such as INT64")
    parameters: TensorParameters | None = None
    data: Any = Field(None, json_schema_extra={"type": "array"}, description="numbers, flat or nested as the shape is")


class OutputParameters(JSONRequest):
    """The form of one output."""

    binary_data: bool | None = None
    classification: Any = Field(None, exclude=True)
    shared_memory_region: Any = Field(None, exclude=True)


class RequestedOutput(JSONRequest):
    """A requested output."""

    name: str
    parameters: OutputParameters | None = None


def _read_levels(value: Any) -> Any:
    """The protocol has no lists among parameters, and some clients cannot send one: "80,95" and 80 are read too."""
    if isinstance(value, str):
        try:
            return [float(text) for text in value.split(",")]
        except ValueError:
            return value
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


Levels = Annotated[
    list[Annotated[float, Field(gt=0, lt=100)]], Field(max_length=MAX_LEVELS), BeforeValidator(_read_levels)
]


class RequestParameters(JSONRequest):
    """The form of all outputs that do not say otherwise, and further outputs."""

    binary_data_output: bool | None = None
    levels: Levels = Field(
        [], description="levels of prediction intervals, 0 < level < 100: the outputs lower_80, upper_80 and so on"
    )


class InferRequest(JSONRequest):
    """An inference request."""

    id: str | None = None
    parameters: RequestParameters | None = None
    inputs: list[InputTensor] = Field(max_length=FEW)
    outputs: list[RequestedOutput] | None = Field(None, max_length=2 * MAX_LEVELS + 1)


class IndexRequest(JSONRequest):
    """Which versions to list."""

    ready: bool = Field(default=False, description="only those that can be asked")


class OutputTensor(BaseModel):
    """Forecasts, one row for each row of the input."""

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
    """Name and version of the server, and the protocol extensions that it supports."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """The process is running."""

    live: bool = True


class ServerReady(BaseModel):
    """The process is ready."""

    ready: bool = True
    live: bool = True


class ModelReady(BaseModel):
    """The model is ready."""

    name: str
    ready: bool = True


class MetadataTensor(BaseModel):
    """An input or output; -1 stands for any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """Inputs and outputs of a model, and the versions that can be asked."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[MetadataTensor]
    outputs: list[MetadataTensor]


class IndexEntry(BaseModel):
    """A version in the repository; for a refused one the reason."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str = ""
