"""Response schemas of the native protocol, and the JSON encoders of predictions."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from artifact import Batch, ModelCard

EXTRAPOLATED = (
    "the window is unlike those that this version was trained on: a value lies outside their range, or, where the "
    "network scales each window by itself, its shape is another one"
)


class Prediction(BaseModel):
    """Response of /predict with one row."""

    model: str
    version: int
    prediction: float
    extrapolated: bool = Field(description=EXTRAPOLATED)


class Predictions(BaseModel):
    """Response of /predict with a batch of rows."""

    model: str
    version: int
    predictions: list[float]
    extrapolated: list[int] = Field(description=f"rows for which {EXTRAPOLATED}")


class IntervalEnds(BaseModel):
    """Bounds of the prediction interval of one level, one number per step."""

    lower: list[float]
    upper: list[float]


class BatchIntervalEnds(BaseModel):
    """Bounds of the prediction intervals of one level, (rows, steps)."""

    lower: list[list[float]]
    upper: list[list[float]]


class ForecastAnswer(BaseModel):
    """Response of /forecast with one row: a value per step, and the interval of each requested level."""

    model: str
    version: int
    forecast: list[float]
    intervals: dict[str, IntervalEnds] = Field(description="by level, as the request has it")
    extrapolated: bool = Field(description=EXTRAPOLATED)
    timestamps: list[str] | None = Field(None, description="of each step; only where the request has a time")


class ForecastsAnswer(BaseModel):
    """Response of /forecast with a batch: forecasts and interval bounds, (rows, steps) each."""

    model: str
    version: int
    forecasts: list[list[float]]
    intervals: dict[str, BatchIntervalEnds] = Field(description="by level, as the request has it")
    extrapolated: list[int] = Field(description=f"rows for which {EXTRAPOLATED}")


class ErrorMeans(BaseModel):
    """Mean errors in the target's unit."""

    mae: float | None = Field(description="mean absolute error; null without an actual value")
    rmse: float | None


class VersionScore(BaseModel):
    """Errors of one version and of the baselines on the same actual values."""

    version: int
    actuals: int = Field(description="actual values that were compared, all rows and steps together")
    mae: float | None = Field(description="mean absolute error in the target's unit; null without an actual value")
    rmse: float | None
    mase: float | None = Field(
        description="MAE over that of the naive forecast on the training data; null where the card does not give it"
    )
    persistence: ErrorMeans | None = Field(
        description="of the window's last value; null where the window is of another column than the target"
    )
    seasonal_naive: ErrorMeans | None = Field(
        description="of the value one season before; null without a season, or with a window shorter than it"
    )
    coverage: dict[str, float | None] = Field(
        description="by level, the share of actual values inside of the prediction interval"
    )


class SkippedVersion(BaseModel):
    """A kept version that cannot be scored, and why."""

    version: int
    reason: str


class ScoreAnswer(BaseModel):
    """Errors of the live and the kept versions on the actual values of one request."""

    model: str
    version: int = Field(description="the live one")
    scores: list[VersionScore] = Field(description="the live version first, then the kept ones, highest first")
    skipped: list[SkippedVersion] = Field(description="kept versions that take or answer something else")


class Accuracy(BaseModel):
    """Errors on all actual values that were sent since the service started."""

    model: str
    version: int | None = Field(description="the live one; null where no version can be served")
    scores: list[VersionScore] = Field(description="the live version first, then the kept ones, highest first")


def _is_empty(value: object) -> bool:
    return not value


class RefusedVersion(BaseModel):
    """A version that is refused or could not be tested yet, and the reason."""

    version: int
    reason: str


class ModelInfo(BaseModel):
    """A model, its versions and the card of one of them."""

    name: str
    version: int | None = Field(description="the live version; null where no version can be served")
    pinned: int | None = Field(description="the version that is to be live instead of the highest good one")
    in_repository: bool = Field(description="false if the live version is no longer in the repository")
    kept: list[int] = Field(description="the versions that ?version= takes")
    refused: list[RefusedVersion]
    refused_count: int | None = Field(
        None, exclude_if=_is_empty, description="of all refused versions, where more are refused than are listed"
    )
    unknown: list[RefusedVersion] = Field(
        [], exclude_if=_is_empty, description="versions that could not be read or tested yet; they are tried again"
    )
    pin_problem: str | None = Field(
        None, exclude_if=_is_empty, description="why the pin is not obeyed; the live version stays until it is"
    )
    loaded: bool = Field(
        default=True, exclude_if=bool, description="false where the model is loaded when it is next asked for"
    )
    card: ModelCard | None = Field(
        description="of the live version, or of the one in ?version=; null in a list where the model is not loaded"
    )


class Models(BaseModel):
    """All models."""

    models: list[ModelInfo]


class VersionInfo(BaseModel):
    """State of a version, and the reason if it is refused or unknown."""

    version: int
    status: Literal["live", "kept", "refused", "unknown"]
    reason: str | None = None


class Versions(BaseModel):
    """The versions of a model that the process has loaded or refused, highest first."""

    pinned: int | None
    versions: list[VersionInfo]


class Live(BaseModel):
    """The process is running."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """The process is ready; the live version of each model."""

    status: Literal["ready"] = "ready"
    models: dict[str, int] = Field(description="of many models, the first hundred that were asked for")
    from_memory: list[str] = Field(
        [], exclude_if=_is_empty, description="models whose live version is not in the repository"
    )


def prediction_json(card: ModelCard, prediction: np.float32, *, extrapolated: bool) -> bytes:
    """Encode a `Prediction` as JSON; float32 in its shortest form."""
    answer = {"model": card.name, "version": card.version, "prediction": prediction, "extrapolated": extrapolated}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def predictions_json(card: ModelCard, predictions: Batch, extrapolated: Sequence[int] | NDArray[np.intp]) -> bytes:
    """Encode `Predictions` as JSON; float32 in its shortest form. predictions: (rows,), extrapolated: row indexes."""
    answer = {
        "model": card.name,
        "version": card.version,
        "predictions": np.ascontiguousarray(predictions),
        "extrapolated": extrapolated,
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
