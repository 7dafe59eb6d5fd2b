"""The model card: what an artifact is, where it comes from, how good it is and what it must answer."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

KERAS_FILE = "model.keras"
LITERT_FILE = "model.tflite"
MODEL_NAMES = ("lstm", "mlp")
AGREEMENT = 1e-4
FLOAT32_OVERFLOW = 2.0**128 - 2.0**103  # from here on a number rounds to infinity
MAX_FITTED = 200  # as many points as a picture shows
MAX_FILE_BYTES = 64 * 2**20

Batch = NDArray[np.float32]


class ArtifactError(Exception):
    """An artifact that must not be served; the text names the artifact and what is wrong with it."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Metrics(_Record):
    """Errors over the held-out rows, in the target's unit; None where a metric is undefined (a constant target)."""

    mae: float
    rmse: float
    max_abs_error: float
    r2: float | None
    mase: float | None


class Evaluation(_Record):
    """The model on the held-out rows beside its baselines, and the baselines whose RMSE is lower than its own."""

    held_out_rows: int = Field(ge=1)
    model: Metrics
    persistence: Metrics
    linear: Metrics
    loses_to: list[Literal["persistence", "linear"]]


class DataSource(_Record):
    """What the artifact was trained on; `sha256` is over the windows and targets as little-endian float64."""

    source: str
    column: str | None
    target: str | None
    rows: int = Field(ge=1)
    sha256: str


class TensorSpec(_Record):
    """One input or output tensor; None in the shape is the number of rows."""

    name: str
    shape: list[Annotated[int, Field(ge=1, le=10_000)] | None] = Field(min_length=1, max_length=3)
    dtype: Literal["float32"] = "float32"


class GoldenSample(_Record):
    """A window, oldest value first, and the prediction that every engine must repeat for it."""

    window: list[float] = Field(min_length=1)
    prediction: float


class FittedRow(_Record):
    """A row that the network was fitted on: its target, and the prediction for it."""

    target: float
    prediction: float


class FileDigest(_Record):
    """What a file of the artifact must be, to the byte."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1, le=MAX_FILE_BYTES)


class CardDraft(_Record):
    """All that training knows of an artifact before it is published."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern="^[a-z0-9_-]+$")
    seed: int
    config: dict[str, Any]
    libraries: dict[str, str]
    data: DataSource
    input: TensorSpec
    output: TensorSpec
    window: int = Field(ge=1, le=10_000)
    horizon: int = Field(ge=0)
    input_range: tuple[float, float]
    evaluation: Evaluation
    golden: list[GoldenSample] = Field(min_length=1)
    fitted: list[FittedRow] = Field([], max_length=MAX_FITTED, description="evenly spread over the rows, in time order")

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        axes = [size for size in self.input.shape[1:] if size is not None]
        if [None, *axes] != self.input.shape or math.prod(axes) != self.window:
            raise ValueError("the input's shape does not hold rows of one window")
        if self.input_range[0] > self.input_range[1]:
            raise ValueError("the input range ends before it begins")
        if any(len(sample.window) != self.window for sample in self.golden):
            raise ValueError("a golden sample has another length than the window")
        return self


class ModelCard(CardDraft):
    """What an artifact is, where it comes from, how good it is and which files it consists of."""

    version: int = Field(ge=1)
    created: datetime
    files: dict[Annotated[str, Field(pattern=r"^model\.[a-z]+$")], FileDigest]


class Artifact(NamedTuple):
    """A verified artifact: its card, and its files' bytes as the checksums were taken of them."""

    card: ModelCard
    files: dict[str, bytes]


def agree(predictions: Batch, expected: Batch) -> bool:
    """Whether two runs of one network gave the same numbers: finite ones, each within 1e-4 of what is expected.

    Relative to the expected number, or where that is small beside the batch's median, to the median: about zero
    float32 has no four digits to agree in.
    """
    if not (np.isfinite(expected).all() and np.isfinite(predictions).all()):
        return False
    scale = np.maximum(np.abs(expected), np.median(np.abs(expected)))
    return bool(np.all(np.abs(predictions - expected) <= AGREEMENT * scale))


def check_golden(card: CardDraft, predict: Callable[[Batch], Batch]) -> None:
    """Run `predict`, (rows, window) → (rows,), on the golden samples; ArtifactError if it does not repeat them."""
    windows = np.array([sample.window for sample in card.golden], np.float32)
    expected = np.array([sample.prediction for sample in card.golden], np.float32)
    if not agree(predict(windows), expected):
        raise ArtifactError(f"{card.name}: the network does not repeat the golden samples on its card")
