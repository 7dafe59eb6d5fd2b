"""Test model `airline`: least squares on monthly airline passengers, with 12 steps, prediction intervals and dates."""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

from artifact import (
    CardDraft,
    DataSource,
    Evaluation,
    GoldenSample,
    HeldOutRow,
    Intervals,
    ModelCard,
    Tail,
    TensorSpec,
    check_golden,
    publish,
)
from artifact.card import KERAS_FILE, LITERT_FILE
from tests.repository import AIRLINE
from training.evaluate import metrics
from training.export import export, predict_keras, predict_litert

NAME, WINDOW, STEPS, CALIBRATION = "airline", 24, 12, 60
MONTHS = [f"{year}-{month:02}-01" for year in range(1949, 1961) for month in range(1, 13)]


def passengers() -> np.ndarray:
    """Passengers in thousands, January 1949 to December 1960, (144,)."""
    return np.array(AIRLINE, np.float32)


def publish_airline(models_dir: Path, name: str = NAME) -> ModelCard:
    """Publish the model as the next version of `name`, with files written and compared by the exporter of training."""
    series = passengers()
    rows = np.lib.stride_tricks.sliding_window_view(series, WINDOW + STEPS)
    windows, targets = rows[:, :WINDOW], rows[:, WINDOW:]
    model = _network(name, windows[:-CALIBRATION], targets[:-CALIBRATION])
    files = export(model, windows).files
    forecasts = predict_keras(files[KERAS_FILE], windows)
    golden = [
        GoldenSample(window=window, forecast=forecast)
        for window, forecast in zip(windows[::30].tolist(), forecasts[::30].tolist(), strict=True)
    ]
    draft = CardDraft(
        name=name,
        network="linear",
        seed=0,
        config={},
        libraries={},
        data=DataSource(
            source="airline.csv",
            column="passengers",
            target=None,
            rows=len(rows),
            sha256="0" * 64,
            frequency="MS",
            read={"season": 12},
        ),
        input=TensorSpec(name="window", shape=[None, WINDOW]),
        output=TensorSpec(name="forecast", shape=[None, STEPS]),
        window=WINDOW,
        steps=STEPS,
        horizon=1,
        input_range=(float(series.min()), float(series.max())),
        evaluation=_evaluation(windows, targets, forecasts[-CALIBRATION:, 0]),
        golden=golden,
        held_out=_held_out(targets[-CALIBRATION:, 0], forecasts[-CALIBRATION:, 0]),
        tail=Tail(values=series.tolist(), times=MONTHS),
        intervals=_intervals(windows[-CALIBRATION:], targets[-CALIBRATION:], forecasts[-CALIBRATION:]),
    )
    check_golden(draft, lambda batch: predict_litert(files[LITERT_FILE], batch))
    return publish(models_dir, draft, files)


def _network(name: str, windows: np.ndarray, targets: np.ndarray) -> keras.Sequential:
    model = keras.Sequential([keras.Input((WINDOW,), name="window"), layers.Dense(STEPS)], name=name)
    columns = np.hstack([windows, np.ones((len(windows), 1))])
    weights = np.linalg.lstsq(columns, targets, rcond=1e-3)[0]
    model.layers[0].set_weights([weights[:-1], weights[-1]])
    return model


def _evaluation(windows: np.ndarray, targets: np.ndarray, predictions: np.ndarray) -> Evaluation:
    first, last = targets[:, 0], windows[:, -1]
    naive_error = float(np.mean(np.abs(first[:-CALIBRATION] - last[:-CALIBRATION])))
    model, persistence = (
        metrics(found, first[-CALIBRATION:], naive_error) for found in (predictions, last[-CALIBRATION:])
    )
    return Evaluation(held_out_rows=CALIBRATION, model=model, persistence=persistence, linear=model, loses_to=[])


def _held_out(targets: np.ndarray, forecasts: np.ndarray) -> list[HeldOutRow]:
    times = MONTHS[-STEPS - CALIBRATION + 1 :]
    return [
        HeldOutRow(time=time, target=target, prediction=prediction)
        for time, target, prediction in zip(times, targets.tolist(), forecasts.tolist(), strict=False)
    ]


def _intervals(windows: np.ndarray, targets: np.ndarray, forecasts: np.ndarray) -> Intervals:
    scores = np.sort(np.abs(targets - forecasts) / windows.std(axis=1, keepdims=True), axis=0)
    return Intervals(
        calibration_windows=len(scores),
        spread="deviation",
        least_spread=1.0,
        ranks=list(range(1, len(scores) + 1)),
        scores=scores.T.tolist(),
    )


if __name__ == "__main__":  # the command in docs/protocols.md
    card = publish_airline(Path(sys.argv[1]))
    print(f"{card.name}/{card.version} is published")  # noqa: T201 - a command's output
