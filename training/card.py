"""The draft of a model's card: what training knows of an artifact before it is published."""

import platform
from importlib.metadata import version

import keras
import numpy as np

from artifact import (
    KERAS_FILE,
    LITERT_FILE,
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
from training.config import STANDARD_INPUT, TrainConfig
from training.data.rows import Rows
from training.ends import tail_of
from training.export import predict_keras, predict_litert
from training.networks.network import Network
from training.values import Values

GOLDEN_SAMPLES = 5  # enough to tell two networks apart, few enough to be checked at every load
LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "numpy")


def draft_card(
    network: Network,
    config: TrainConfig,
    rows: Rows,
    evaluation: Evaluation,
    held_out: list[HeldOutRow],
    model: keras.Sequential,
    files: dict[str, bytes],
) -> CardDraft:
    """Describe `model`, which was fitted on `rows`, and its exported files; `evaluation` and `held_out` are of a fit
    without the held-out rows where the recipe has two fits.
    """
    windows = network.inputs(rows.windows).astype(np.float32)
    return CardDraft(
        name=config.model_name(network.name),
        network=network.name,
        seed=config.seed,
        config=config.on_card(),
        libraries={"python": platform.python_version()} | {library: version(library) for library in LIBRARIES},
        data=_source(config, rows),
        input=TensorSpec(name=model.inputs[0].name, shape=list(model.input_shape)),
        output=TensorSpec(name="prediction", shape=list(model.output_shape)),
        window=windows.shape[1],
        steps=model.output_shape[1],
        horizon=config.resolved_horizon,
        input_range=(float(windows.min()), float(windows.max())),
        evaluation=evaluation,
        golden=_golden(windows, files),
        held_out=held_out,
        tail=tail_of(rows, windows.shape[1]),
        fitted=_fitted(rows.targets, predict_litert(files[LITERT_FILE], windows)[:, 0]),
        valid_days=config.valid_days,
    )


def _source(config: TrainConfig, rows: Rows) -> DataSource:
    table, rows_and_sum = rows.table, {"rows": len(rows.targets), "sha256": rows.sha256()}
    if table is None or config.data is None:
        return DataSource(source="the article's series", column=None, target=None, **rows_and_sum)
    return DataSource(
        source="standard input" if config.data == STANDARD_INPUT else config.data.name,
        column=table.column,
        target=config.target,
        frequency=table.frequency.on_card if table.frequency else None,
        read=table.read | {"left_out": len(table.left_out)},
        **rows_and_sum,
    )


def _golden(windows: Batch, files: dict[str, bytes]) -> list[GoldenSample]:
    """Samples spread over the rows; their answers are those of the `.keras` file, which every engine must repeat."""
    chosen = windows[np.linspace(1, len(windows) - 1, GOLDEN_SAMPLES, dtype=int)]
    forecasts = predict_keras(files[KERAS_FILE], chosen)
    pairs = zip(chosen.tolist(), forecasts.tolist(), strict=True)
    return [GoldenSample(window=window, forecast=forecast) for window, forecast in pairs]


def _fitted(targets: Values, predictions: Batch) -> list[FittedRow]:
    count = min(len(targets), MAX_FITTED)
    chosen = np.linspace(0, len(targets) - 1, count, dtype=int)
    pairs = zip(targets[chosen].tolist(), predictions[chosen].tolist(), strict=True)
    return [FittedRow(target=target, prediction=prediction) for target, prediction in pairs]
