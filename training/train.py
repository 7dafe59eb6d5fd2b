"""One model from its rows to the draft of its artifact: fit, evaluate, fit again on all rows, export."""

import platform
from importlib.metadata import version
from typing import NamedTuple

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
    TensorSpec,
    check_golden,
)
from training.config import TrainConfig
from training.console import shown
from training.data.series import Rows, Values
from training.evaluate import evaluate
from training.export import export, predict_keras, predict_litert
from training.fit import fit
from training.networks import inputs_of

GOLDEN_SAMPLES = 5
LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "numpy")


class Trained(NamedTuple):
    """What `artifact.publish` takes: the card as far as training knows it, and the files by name."""

    draft: CardDraft
    files: dict[str, bytes]


def train(name: str, config: TrainConfig, rows: Rows) -> Trained:
    """Train the model `name`, lstm or mlp. Raises ArtifactError if its exported files do not agree."""
    trained_rows, held_out = rows.split(config.held_out, config.resolved_horizon)
    model = _fit(name, config, trained_rows)
    evaluation = evaluate(_predict(model, inputs_of(name, held_out.windows)), trained_rows, held_out)
    if config.recipe == "scaled":
        trained_rows = rows
        model = _fit(name, config, rows)
    windows = inputs_of(name, trained_rows.windows).astype(np.float32)
    files = export(model, windows)
    golden = _golden(windows, files)
    fitted = _fitted(trained_rows.targets, predict_litert(files[LITERT_FILE], windows)[:, 0])
    draft = _draft(config, trained_rows, evaluation, model, windows, golden, fitted)
    check_golden(draft, lambda batch: predict_litert(files[LITERT_FILE], batch))
    return Trained(draft, files)


def _fit(name: str, config: TrainConfig, rows: Rows) -> keras.Sequential:
    with shown(f"{name} on {len(rows.targets)} rows", config.resolved_epochs) as report:
        return fit(name, config, rows, report)


def _predict(model: keras.Sequential, windows: Values) -> Values:
    inputs = windows.reshape(-1, *model.input_shape[1:]).astype(np.float32)
    return np.asarray(model(inputs), np.float64)[:, 0]


def _golden(windows: Batch, files: dict[str, bytes]) -> list[GoldenSample]:
    chosen = windows[np.linspace(1, len(windows) - 1, GOLDEN_SAMPLES, dtype=int)]
    forecasts = predict_keras(files[KERAS_FILE], chosen)
    pairs = zip(chosen.tolist(), forecasts.tolist(), strict=True)
    return [GoldenSample(window=window, forecast=forecast) for window, forecast in pairs]


def _fitted(targets: Values, predictions: Batch) -> list[FittedRow]:
    count = min(len(targets), MAX_FITTED)
    chosen = np.linspace(0, len(targets) - 1, count, dtype=int)
    pairs = zip(targets[chosen].tolist(), predictions[chosen].tolist(), strict=True)
    return [FittedRow(target=target, prediction=prediction) for target, prediction in pairs]


def _draft(
    config: TrainConfig,
    rows: Rows,
    evaluation: Evaluation,
    model: keras.Sequential,
    windows: Batch,
    golden: list[GoldenSample],
    fitted: list[FittedRow],
) -> CardDraft:
    return CardDraft(
        name=model.name,
        network=model.name,
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
        golden=golden,
        fitted=fitted,
    )


def _source(config: TrainConfig, rows: Rows) -> DataSource:
    return DataSource(
        source=config.csv.name if config.csv else "the article's series",
        column=config.column,
        target=config.target,
        rows=len(rows.targets),
        sha256=rows.sha256(),
    )
