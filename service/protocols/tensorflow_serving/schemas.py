"""Request and response schemas of TensorFlow Serving's REST API."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class PredictRequest(BaseModel):
    """A :predict request with either `instances` (rows) or `inputs` (one tensor)."""

    signature_name: str = "serving_default"
    instances: list[Any] | None = Field(None, description="a row each: a window, a value, or an object with it")
    inputs: Any = Field(None, description="all rows in one tensor, or an object with it")


class PredictResponse(BaseModel):
    """Forecasts, (rows, steps): `predictions` if the request has `instances`, `outputs` if it has `inputs`."""

    predictions: list[list[float]] | None = Field(None, description="to instances")
    outputs: list[list[float]] | None = Field(None, description="to inputs")


class VersionStatus(BaseModel):
    """State of a version: AVAILABLE, or END with the reason if it is refused."""

    version: str
    state: Literal["AVAILABLE", "END"]
    status: dict[Literal["error_code", "error_message"], str]


class ModelStatus(BaseModel):
    """The versions of a model, highest first. ready: KServe's field, whether one of them can be asked."""

    model_version_status: list[VersionStatus]
    name: str
    ready: bool


class ModelNames(BaseModel):
    """The names of all models."""

    models: list[str]
