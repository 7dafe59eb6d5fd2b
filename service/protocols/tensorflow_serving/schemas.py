"""Requests and responses of TensorFlow Serving's REST API."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class PredictRequest(BaseModel):
    """Rows, or a tensor: one of the two."""

    signature_name: str = "serving_default"
    instances: list[Any] | None = Field(None, description="a row each: a window, a value, or an object with it")
    inputs: Any = Field(None, description="all rows in one tensor, or an object with it")


class PredictResponse(BaseModel):
    """A list with one number per step for each row, under the key that corresponds to the request's."""

    predictions: list[list[float]] | None = Field(None, description="to instances")
    outputs: list[list[float]] | None = Field(None, description="to inputs")


class VersionStatus(BaseModel):
    """A version and whether it answers; for a refused one the reason."""

    version: str
    state: Literal["AVAILABLE", "END"]
    status: dict[Literal["error_code", "error_message"], str]


class ModelStatus(BaseModel):
    """The versions of a model, highest first; `ready` is for KServe."""

    model_version_status: list[VersionStatus]
    name: str
    ready: bool = True


class ModelNames(BaseModel):
    """The names of all models."""

    models: list[str]
