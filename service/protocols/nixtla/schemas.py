"""Request and response schemas of NixtlaClient 0.9, and the error messages for unsupported features."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails

from artifact import FLOAT32_OVERFLOW
from service.inference.errors import BadInput
from service.protocols.request import JSONRequest

MAX_LEVELS = 100
Float32 = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-FLOAT32_OVERFLOW, lt=FLOAT32_OVERFLOW)]
Level = Annotated[float, Field(ge=0, lt=100)]
Count = Annotated[int, Field(ge=1, le=2**31)]


class _Request(JSONRequest):
    @classmethod
    def describe(cls, problem: ErrorDetails) -> str:
        if problem["type"] == "float_type" and problem["loc"][:2] == ("series", "y"):  # the client sends NaN as null
            return f"series.y: value {problem['loc'][2]} is missing; fill gaps before asking for a forecast"
        return super().describe(problem)


class Series(_Request):
    """Concatenated series. y: all values, oldest first; sizes: number of values per series."""

    y: list[Float32] = Field(min_length=1)
    sizes: list[Count] = Field(min_length=1)
    start_datetime: list[str] | None = None
    X: Any = None
    X_future: Any = None
    categorical_exog: Any = None

    def values(self) -> NDArray[np.float32]:
        """All values, (sum of sizes,)."""
        return np.array(self.y, np.float32)


class Task(_Request):
    """Fields common to all requests."""

    series: Series
    model: str
    freq: str
    finetune_steps: int = 0
    finetuned_model_id: str | None = None
    multivariate: bool = False
    feature_contributions: bool = False
    model_parameters: dict[str, Any] | None = None

    def check(self) -> None:
        """Raise BadInput if the sizes do not add up to the length of `y`, or for an unsupported feature."""
        if sum(self.series.sizes) != len(self.series.y):  # before an array of that size is allocated
            raise BadInput(
                f"series: the sizes add up to {sum(self.series.sizes)}, but y has {len(self.series.y)} values"
            )
        asked = {
            "finetune_steps": self.finetune_steps > 0,
            "finetuned_model_id": self.finetuned_model_id is not None,
            "X": any(x is not None for x in (self.series.X, self.series.X_future, self.series.categorical_exog)),
            "multivariate": self.multivariate,
            "feature_contributions": self.feature_contributions,
            "model_parameters": bool(self.model_parameters),
        }
        for name, wanted in asked.items():
            if wanted:
                raise BadInput(REFUSALS[name])


class ForecastTask(Task):
    """POST /v2/forecast."""

    h: Count
    level: list[Level] | None = Field(None, max_length=MAX_LEVELS)


class BacktestTask(ForecastTask):
    """POST /v2/cross_validation. full_history: fitted values of every row; h and n_windows are then ignored."""

    n_windows: Count
    step_size: Count | None = None
    full_history: bool = False


class AnomalyTask(Task):
    """POST /v2/anomaly_detection."""

    level: Level = Field(99, gt=0)


class OnlineAnomalyTask(AnomalyTask):
    """POST /v2/online_anomaly_detection."""

    h: Count
    detection_size: Count
    step_size: Count | None = None
    threshold_method: Literal["univariate", "multivariate"] = "univariate"


class Forecasts(BaseModel):
    """Concatenated forecasts of all series. intervals: lists lo-80, hi-80 and so on, of the same length."""

    mean: list[float]
    intervals: dict[str, list[float]] | None
    weights_x: None = None
    feature_contributions: None = None


class Backtest(Forecasts):
    """Forecasts of past rows. sizes: number of rows per series; idxs: indexes of the rows in `y`, from 0."""

    sizes: list[int]
    idxs: list[int]


class Anomalies(Backtest):
    """Anomalies. anomaly: value outside its interval; anomaly_score: distance from the forecast in half widths."""

    anomaly: list[bool]
    anomaly_score: list[float]


class Parameters(BaseModel):
    """Window (input_size) and steps (horizon) of a model, under the client's names."""

    input_size: int
    horizon: int


class Detail(BaseModel):
    """GET /model_params."""

    detail: Parameters


class Accepted(BaseModel):
    """GET /validate_api_key."""

    message: str = "success"
    detail: str = "the API key is accepted, or none is needed"


REFUSALS: Mapping[str, str] = {
    "finetune_steps": "finetune_steps: nothing is trained on request here; train with `python -m training`, and name "
    "the published model in `model`",
    "finetuned_model_id": "finetuned_model_id: models are not fine-tuned here; name a published model in `model`",
    "X": "exogenous features are not supported; the published networks see the series' own values alone",
    "multivariate": "multivariate: every series is forecast for itself here; leave it False",
    "feature_contributions": "feature_contributions are not supported; the networks have no features",
    "model_parameters": "model_parameters are not supported; a published model has none to set",
    "threshold_method": "threshold_method: 'multivariate' is not supported; use 'univariate'",
}
