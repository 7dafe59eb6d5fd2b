"""The draft of a model's card: what training knows of an artifact before it is published."""

from typing import NamedTuple

import keras
import numpy as np

from artifact import (
    MAX_FITTED,
    Batch,
    CardDraft,
    DataSource,
    Evaluation,
    FittedRow,
    GoldenSample,
    HeldOutRow,
    TensorSpec,
)
from training.config import TrainConfig
from training.data.table import Table
from training.ends import tail_of
from training.export import Exported, Predict
from training.libraries import libraries
from training.networks.network import Network
from training.series_config import STANDARD_INPUT
from training.values import Values

GOLDEN_SAMPLES = 5  # enough to tell two networks apart, few enough to be checked at every load


class Subject(NamedTuple):
    """What a model was fitted on. windows: (rows, n), as the network sees them. targets: (rows,), the first step's.

    values, table: all values of the series, (n,), and the table that they are from, if any. held_out: rows that
    another fit had not seen, with what it had forecast for them. resolved: what was chosen by rule where the command
    line says nothing, by the name of the option.
    """

    windows: Values
    targets: Values
    source: DataSource
    values: Values
    table: Table | None
    held_out: list[HeldOutRow]
    resolved: dict[str, int | float] = {}  # noqa: RUF012 - never changed, and a tuple's default cannot be a factory


def draft_card(
    network: Network,
    config: TrainConfig,
    subject: Subject,
    evaluation: Evaluation,
    model: keras.Model,
    exported: Exported,
) -> CardDraft:
    """Describe `model`, which was fitted on the windows of `subject`, and its exported files; `evaluation` is of a fit
    without the held-out rows where the recipe has two fits.
    """
    windows = subject.windows.astype(np.float32)
    return CardDraft(
        name=config.model_name(network.name),
        network=network.name,
        seed=config.seed,
        config=config.on_card(**subject.resolved),
        libraries=libraries(),
        data=subject.source,
        input=TensorSpec(name=model.inputs[0].name, shape=list(model.input_shape)),
        output=TensorSpec(name="prediction", shape=list(model.output_shape)),
        window=windows.shape[1],
        steps=model.output_shape[1],
        horizon=config.resolved_horizon,
        input_range=(float(windows.min()), float(windows.max())),
        evaluation=evaluation,
        fitted_on=config.fitted_on,
        golden=_golden(windows, exported.keras),
        held_out=subject.held_out,
        tail=tail_of(subject.values, subject.table, windows.shape[1]),
        fitted=_fitted(subject.targets, windows, exported.litert),
        valid_days=config.valid_days,
    )


def data_source(config: TrainConfig, table: Table | None, rows: int, sha256: str) -> DataSource:
    """What the card says of the data: a table's, or the article's series."""
    if table is None or config.data is None:
        return DataSource(source="the article's series", column=None, target=None, rows=rows, sha256=sha256)
    season = config.season or table.season  # the service's seasonal naive forecast is by it
    return DataSource(
        source="standard input" if config.data == STANDARD_INPUT else config.data.name,
        column=table.column,
        target=config.target,
        frequency=table.frequency.on_card if table.frequency else None,
        read=table.read | {"season": season, "left_out": len(table.left_out)},
        rows=rows,
        sha256=sha256,
    )


def _golden(windows: Batch, predict: Predict) -> list[GoldenSample]:
    """Samples spread over the rows; their answers are those of the `.keras` file, which every engine must repeat."""
    chosen = windows[np.linspace(1, len(windows) - 1, GOLDEN_SAMPLES, dtype=int)]
    forecasts = predict(chosen)
    pairs = zip(chosen.tolist(), forecasts.tolist(), strict=True)
    return [GoldenSample(window=window, forecast=forecast) for window, forecast in pairs]


def _fitted(targets: Values, windows: Batch, predict: Predict) -> list[FittedRow]:
    chosen = np.linspace(0, len(targets) - 1, min(len(targets), MAX_FITTED), dtype=int)
    predictions = predict(windows[chosen])[:, 0]
    pairs = zip(targets[chosen].tolist(), predictions.tolist(), strict=True)
    return [FittedRow(target=target, prediction=prediction) for target, prediction in pairs]
