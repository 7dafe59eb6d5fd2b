"""The wire: what requests and answers look like, their limits, and the reading and writing of their bytes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, create_model

from artifact import FLOAT32_OVERFLOW, Batch, ModelCard
from service.inference.errors import InvalidRequest, NotJSON, Problem

MAX_PROBLEMS = 10
KEYS = {"lstm": "window", "mlp": "value"}

Float32 = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-FLOAT32_OVERFLOW, lt=FLOAT32_OVERFLOW)]


class Body(BaseModel):
    """A request body: one JSON object with one key, the alias of `content`; made for a model by `request_body`."""

    model_config = ConfigDict(extra="forbid")

    content: Any

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read the bytes of a request. Raises NotJSON or InvalidRequest."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
        if problems[0]["type"] == "json_invalid":
            raise NotJSON(f"The body is not JSON: {problems[0]['msg'].removeprefix('Invalid JSON: ')}")
        raise InvalidRequest([cls._problem(p["type"], p["loc"], p["msg"]) for p in problems[:MAX_PROBLEMS]])

    @classmethod
    def _problem(cls, kind: str, loc: tuple[int | str, ...], message: str) -> Problem:
        if kind == "extra_forbidden":  # its loc is the unknown key, and answers never repeat the input
            return {"type": kind, "loc": ["body"], "msg": f"Unknown key; the only key is '{cls.key()}'"}
        return {"type": kind, "loc": ["body", *loc], "msg": message}

    @classmethod
    def key(cls) -> str:
        """The one key."""
        return str(cls.model_fields["content"].alias)


@lru_cache(maxsize=64)
def request_body(name: str, window: int, max_rows: int | None) -> type[Body]:
    """The body for a model whose window has so many values: one window, or with `max_rows` a batch of them."""
    row: Any = Annotated[list[Float32], Field(min_length=window, max_length=window)] if name == "lstm" else Float32
    # A long batch that is wrong throughout is told of its first wrong row only.
    rows: Any = Annotated[list[row], Field(min_length=1, max_length=max_rows), FailFast()]
    kind, key = (row, KEYS[name]) if max_rows is None else (rows, f"{KEYS[name]}s")
    return create_model(f"{key.title()}Body", __base__=Body, content=(kind, Field(alias=key)))


class Prediction(BaseModel):
    """The answer to one window."""

    model: str
    version: int
    prediction: float
    extrapolated: bool = Field(description="a value lies outside the range that this version was trained on")


class Predictions(BaseModel):
    """The answer to a batch of windows."""

    model: str
    version: int
    predictions: list[float]
    extrapolated: list[int] = Field(description="rows with a value outside the range that this version was trained on")


class RefusedVersion(BaseModel):
    """A version that must not be live, and why."""

    version: int
    reason: str


class ModelInfo(BaseModel):
    """A model: the version that answers, those that can be asked for and that are refused, and one version's card."""

    name: str
    version: int | None = Field(description="the live version; null where none can be served")
    pinned: int | None = Field(description="the version that is to be live instead of the highest good one")
    in_repository: bool = Field(description="false where the live version is served from memory alone")
    kept: list[int] = Field(description="the versions that ?version= takes")
    refused: list[RefusedVersion]
    card: ModelCard | None = Field(description="of the live version, or of the one that was asked for")


class Models(BaseModel):
    """Every model that is served."""

    models: list[ModelInfo]


class VersionInfo(BaseModel):
    """A version, whether it answers, and if it must not, why."""

    version: int
    status: Literal["live", "kept", "refused"]
    reason: str | None = None


class Versions(BaseModel):
    """The versions of a model that the process has loaded or refused, highest first."""

    pinned: int | None
    versions: list[VersionInfo]


class Live(BaseModel):
    """The process is there."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """The process is ready; the live versions of its models."""

    status: Literal["ready"] = "ready"
    models: dict[str, int]


class Alive(BaseModel):
    """The process is there, as the first protocol of KServe has it."""

    status: Literal["alive"] = "alive"


class Failure(BaseModel):
    """What is wrong, in words."""

    detail: str


class Invalid(BaseModel):
    """What is wrong with the request, and where."""

    detail: list[Problem]


def prediction_json(card: ModelCard, prediction: np.float32, *, extrapolated: bool) -> bytes:
    """The bytes of a `Prediction`; float32 in its shortest form."""
    answer = {"model": card.name, "version": card.version, "prediction": prediction, "extrapolated": extrapolated}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def predictions_json(card: ModelCard, predictions: Batch, extrapolated: Sequence[int] | NDArray[np.intp]) -> bytes:
    """The bytes of `Predictions`, extrapolated: row numbers; float32 in its shortest form."""
    answer = {
        "model": card.name,
        "version": card.version,
        "predictions": np.ascontiguousarray(predictions),
        "extrapolated": extrapolated,
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
