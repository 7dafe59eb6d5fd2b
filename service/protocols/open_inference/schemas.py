"""Request and response schemas of the Open Inference Protocol v2."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from service.protocols.request import JSONRequest

INT64_MAX = 2**63 - 1
MAX_LEVELS = 20  # each level adds twice as many numbers to the response as the forecast has
FEW = 16  # most axes or inputs; real requests have one to three
Size = Annotated[int, Field(ge=0, le=INT64_MAX)]
Number = float | int
Tensor = list[Number] | list[list[Number]] | list[list[list[Number]]]


class TensorParameters(JSONRequest):
    """Parameters of an input: the size of its binary data, if it has some."""

    binary_data_size: Size | None = Field(None, description="bytes of this tensor after the JSON, instead of data")


class InputTensor(JSONRequest):
    """The input tensor: a batch of windows, or of single values."""

    name: str
    shape: list[Size] = Field(max_length=FEW)
    datatype: str = Field(description="FP16, FP32, FP64, or an integer type such as INT64")
    parameters: TensorParameters | None = None
    data: Any = Field(None, json_schema_extra={"type": "array"}, description="numbers, flat or nested as the shape is")


class OutputParameters(JSONRequest):
    """Parameters of a requested output: binary or JSON."""

    binary_data: bool | None = None
    classification: Any = Field(None, exclude=True)
    shared_memory_region: Any = Field(None, exclude=True)


class RequestedOutput(JSONRequest):
    """An output to include in the response."""

    name: str
    parameters: OutputParameters | None = None


def _read_levels(value: Any) -> Any:
    """Accept "80,95" and 80 as lists: the protocol's parameters have no lists, and some clients cannot send one."""
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
    """Parameters of a request: default form of the outputs, and levels of prediction intervals."""

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
    """Filter of the repository index."""

    ready: bool = Field(default=False, description="only those that can be asked")


class ControlRequest(JSONRequest):
    """A request to load or unload a model; of Triton's parameters only those that change nothing here are taken."""

    parameters: dict[str, Any] = Field(default={})


class OutputTensor(BaseModel):
    """Forecasts, (rows, steps), flattened in `data`."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferResponse(BaseModel):
    """An inference response."""

    model_name: str
    model_version: str
    id: str = Field("", description="the request's, if it has one")
    parameters: dict[str, bool] = Field(description="extrapolated: whether a row is unlike the training data")
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
    """Inputs, outputs and kept versions of a model."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[MetadataTensor]
    outputs: list[MetadataTensor]


class IndexEntry(BaseModel):
    """State of a version in the repository; `reason` says why a refused one is unavailable."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE"]
    reason: str = ""
