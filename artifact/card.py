"""The model card: description of an artifact, its tensors, its training data, its errors and its golden samples."""

import math
from collections.abc import Callable
from dataclasses import field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from artifact.intervals import Intervals
from artifact.shape import Shapes

KERAS_FILE = "model.keras"
LITERT_FILE = "model.tflite"
NAME_PATTERN = "[a-z0-9][a-z0-9._-]{0,127}"
SCHEMA_VERSION: Literal[2] = 2
AGREEMENT = 1e-4
ROUNDINGS = 16 * 2.0**-24  # of float32, half a unit in the last place each
FLOAT32_OVERFLOW = 2.0**128 - 2.0**103  # from this magnitude on numbers round to infinity in float32
MAX_WINDOW = 10_000
MAX_FITTED = 200  # enough points for a plot
MAX_TAIL = 300  # enough values to plot the end of the series: several windows and seasons
MAX_FILE_BYTES = 64 * 2**20  # networks of this package have some kilobytes; this bounds the memory of a read

Batch = NDArray[np.float32]


class ArtifactError(Exception):
    """An artifact that must not be served; the message names the artifact and its defect."""


_ROW = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Metrics(_Record):
    """Errors on held-out rows; None if a metric is undefined (constant target). With several series, their mean.

    mae, rmse, max_abs_error: in the target's unit. smape: in percent.
    """

    mae: float
    rmse: float
    max_abs_error: float
    r2: float | None
    mase: float | None
    smape: float | None = None
    rmsse: float | None = None


class Evaluation(_Record):
    """Errors of the model and of the baselines on the held-out rows.

    loses_to: baselines whose `criterion` is lower by more than float32 rounding. seasonal_naive: None without a season.
    steps: metrics of the model per step; empty on older cards. series: number of series that the rows come from.
    deviation: standard deviation of the model's metrics over the series.
    better_than_linear: share of the series on which the model has a lower MAE than the linear baseline.
    """

    held_out_rows: int = Field(ge=1)
    model: Metrics
    persistence: Metrics
    linear: Metrics
    seasonal_naive: Metrics | None = None
    loses_to: list[Literal["persistence", "linear", "seasonal_naive"]]
    steps: list[Metrics] = []
    series: int = Field(1, ge=1)
    deviation: Metrics | None = None
    better_than_linear: float | None = Field(None, ge=0, le=1)

    @property
    def criterion(self) -> Literal["rmse", "rmsse"]:
        """The metric that compares models: RMSE; with several series RMSSE, which does not depend on their scale."""
        return "rmse" if self.series == 1 or self.model.rmsse is None else "rmsse"

    @property
    def baselines(self) -> dict[str, Metrics]:
        """Metrics of the baselines by name, without those that are None."""
        found = {"persistence": self.persistence, "seasonal_naive": self.seasonal_naive, "linear": self.linear}
        return {name: metrics for name, metrics in found.items() if metrics is not None}


class DataSource(_Record):
    """Training data of the artifact; `sha256` is computed over windows and targets as little-endian float64.

    series: id of the series, if the table has several and the model was trained on this one alone.
    """

    source: str
    column: str | None
    target: str | None
    rows: int = Field(ge=1)
    sha256: str
    series: str | None = None
    frequency: str | None = Field(
        None, description="pandas' alias, such as MS or 15min; null where rows have no time; see artifact.calendar"
    )
    read: dict[str, Any] | None = Field(
        None, description="what was decided when the table was read: dialect, roles, frequency, order, gaps, duplicates"
    )

    @property
    def season(self) -> int:
        """Rows in a season, from `read`; 1 if no season is known."""
        season = (self.read or {}).get("season")
        return season if isinstance(season, int) and season > 1 else 1

    def describe(self) -> str:
        """One line about the data: table, column, rows, frequency, and how gaps, duplicates and order were handled."""
        read = self.read or {}
        many = read.get("series", 1)
        parts = [
            " ".join(filter(None, (self.source, self.column))),
            f"{self.rows} rows",
            f"{many} series" if many != 1 else None,
            self.frequency,
            *(f"{name} {read[name]}" for name in ("gaps", "duplicates") if read.get(name, "none") != "none"),
            read["order"] if read.get("order") in {"newest first", "mixed"} else None,
        ]
        return ", ".join(filter(None, parts))


class TensorSpec(_Record):
    """Name, shape and dtype of an input or output tensor; None in the shape is the number of rows."""

    name: str = Field(min_length=1, max_length=128)
    shape: list[Annotated[int, Field(ge=1, le=10_000)] | None] = Field(min_length=1, max_length=3)
    dtype: Literal["float32"] = "float32"

    # Cached: the service reads both once per request.
    @cached_property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row: (5, 1) for the shape [None, 5, 1]."""
        return tuple(size for size in self.shape[1:] if size is not None)

    @cached_property
    def is_single_value(self) -> bool:
        """Whether a row is one number, written without brackets in JSON; a window of one value, (1, 1), is not."""
        return self.row_shape == (1,)


class GoldenSample(_Record):
    """A window, oldest value first, and its known forecast, one value per step. Every engine must reproduce it."""

    window: list[float] = Field(min_length=1)
    forecast: list[float] = Field(min_length=1)


# Dataclasses with slots: a card has up to 400 of these rows, and a service thousands of cards. They take a fifth of the
# memory of a BaseModel.
@dataclass(config=_ROW, frozen=True, slots=True)
class FittedRow:
    """A training row: its first target, and the network's forecast of it."""

    target: float
    prediction: float


@dataclass(config=_ROW, frozen=True, slots=True)
class HeldOutRow:
    """A held-out row: its time, its first target, and the forecast of that target by a fit without the row."""

    time: str | None = field(default=None, kw_only=True)
    target: float
    prediction: float


class Tail(_Record):
    """The end of the training series, oldest value first; with several series, the end of the last one.

    values: the input column. targets: the target column, of the same length; None if the input is the target.
    times: ISO 8601, of the same length; None if rows have no time. series: series id; None with only one series.
    """

    values: list[float] = Field(min_length=1, max_length=MAX_WINDOW)
    targets: list[float] | None = None
    times: list[str] | None = None
    series: str | None = None

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if any(column is not None and len(column) != len(self.values) for column in (self.targets, self.times)):
            raise ValueError("the tail has another number of targets or of times than of values")
        return self


class FileDigest(_Record):
    """SHA-256 and size in bytes of a file of the artifact."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1, le=MAX_FILE_BYTES)


class CardDraft(_Record):
    """A card before publishing: without version, time of creation and checksums.

    name: name of the model. network: its entry in the registry of networks in `training`.
    window: values per row of the input. steps: values per row of the forecast.
    horizon: rows from the window's last value to the first target.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    network: str = Field(min_length=1, max_length=128)
    seed: int
    config: dict[str, Any]
    libraries: dict[str, str]
    data: DataSource
    input: TensorSpec
    output: TensorSpec
    window: int = Field(ge=1, le=MAX_WINDOW)
    steps: int = Field(ge=1, le=10_000)
    horizon: int = Field(ge=0)
    input_range: tuple[float, float]
    evaluation: Evaluation
    golden: list[GoldenSample] = Field(min_length=1)
    fitted: list[FittedRow] = Field([], max_length=MAX_FITTED, description="evenly spread over the rows, in time order")
    held_out: list[HeldOutRow] = Field([], max_length=MAX_FITTED, description="the last held-out rows, in time order")
    tail: Tail | None = Field(None, description="the end of the series, to draw a forecast after; none on older cards")
    intervals: Intervals | None = Field(None, description="none where there were too few windows to calibrate on")
    fitted_on: Literal["all rows", "rows before the held-out ones"] | None = Field(
        None, description="what the published weights have seen, unlike the fits behind the errors; none on older cards"
    )
    valid_days: int | None = Field(
        None, ge=1, le=36_500, description="days after `created` by which a newer version is wanted; null for no limit"
    )
    shapes: Shapes | None = Field(None, description="for networks that scale each window by itself, else none")

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if [None, *self.input.row_shape] != self.input.shape or math.prod(self.input.row_shape) != self.window:
            raise ValueError("the input's shape does not hold rows of one window")
        if self.input_range[0] > self.input_range[1]:
            raise ValueError("the input range ends before it begins")
        if any(len(sample.window) != self.window for sample in self.golden):
            raise ValueError("a golden sample has another length than the window")
        if self.tail is not None and len(self.tail.values) < self.window:
            raise ValueError("the tail is shorter than a window")
        if self.shapes is not None and len(self.shapes.centre) != self.window:
            raise ValueError("the shapes are those of another window")
        return self

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        if self.output.shape != [None, self.steps]:
            raise ValueError(
                f"the output's shape is not [null, {self.steps}], rows of as many values as there are steps"
            )
        if any(len(sample.forecast) != self.steps for sample in self.golden):
            raise ValueError("a golden sample has another number of values in its forecast than there are steps")
        if self.intervals is not None and len(self.intervals.scores) != self.steps:
            raise ValueError("the intervals have scores for another number of steps")
        return self


class ModelCard(CardDraft):
    """The card of a published version."""

    version: int = Field(ge=1)
    created: datetime
    files: dict[Annotated[str, Field(pattern=r"^model\.[a-z]+$")], FileDigest]


class Artifact(NamedTuple):
    """A verified artifact: its card, and the bytes of its files by name, whose checksums match the card."""

    card: ModelCard
    files: dict[str, bytes]


def agree(forecasts: Batch, expected: Batch, windows: Batch) -> bool:
    """Compare the forecasts of two runs of a network: finite, and within a relative tolerance of 1e-4.

    forecasts, expected: (rows, steps). windows: (rows, window), what they were made for. The tolerance is relative to
    the expected value or to the median absolute expected value, whichever is larger: near zero, float32 results differ
    in their first digits. Added to it are some roundings of the largest value of the row's window: a forecast near zero
    can be the difference of large values.
    """
    if forecasts.shape != expected.shape or not (np.isfinite(expected).all() and np.isfinite(forecasts).all()):
        return False
    scale = np.maximum(np.abs(expected), np.median(np.abs(expected)))
    largest = np.abs(windows.reshape(len(windows), -1)).max(axis=1, keepdims=True)
    return bool(np.all(np.abs(forecasts - expected) <= AGREEMENT * scale + ROUNDINGS * largest))


def check_golden(card: CardDraft, predict: Callable[[Batch], Batch]) -> None:
    """Run `predict`, (rows, window) → (rows, steps), on the golden samples. Raises ArtifactError if results differ."""
    windows = np.array([sample.window for sample in card.golden], np.float32)
    expected = np.array([sample.forecast for sample in card.golden], np.float32)
    if not agree(predict(windows), expected, windows):
        raise ArtifactError(f"{card.name}: the network does not repeat the golden samples on its card")
