"""The article's own comparison: both networks, raw and normalised, over several seeds."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from training.config import TrainConfig
from training.data.rows import Rows
from training.data.series import load_rows
from training.quiet import load_tensorflow
from training.report.config import ReportConfig
from training.values import Values

if TYPE_CHECKING:
    import keras

WAYS = ("raw", "normalised", "scaled")
ARTICLE_NETWORKS = ("lstm", "mlp")


@dataclass(frozen=True)
class ArticleRun:
    """One network, fitted on the article's first 95 rows.

    raw: the article's recipe. normalised: the same on values of mean 0 and standard deviation 1. scaled: this
    project's recipe, which normalises, decays the learning rate and trains for twice as many epochs.
    """

    way: str
    network: str
    seed: int
    epochs: int | None

    def run(self) -> dict[str, Any]:
        """Predictions for all 100 rows, what Keras calls accuracy, and the MLP's held-out RMSE by epoch.

        Accuracy: for metrics=["accuracy"] and one output Keras takes its binary accuracy, the share of rows whose
        target equals 1 if the prediction is above 0.5, and 0 otherwise.
        """
        load_tensorflow()
        import keras

        from training.fit import fit
        from training.networks.registry import NETWORKS

        config = TrainConfig(recipe="scaled" if self.way == "scaled" else "article", seed=self.seed, epochs=self.epochs)
        rows = load_rows(config)
        trained, held_out = rows.split(config.resolved_held_out, config.resolved_horizon)
        units = _Units(trained) if self.way == "normalised" else _Units(None)
        epochs, rmse = [], []

        def on_progress(model: "keras.Sequential", done: float, _loss: float) -> None:
            if self.network != "mlp":  # predicting with the LSTM a hundred times takes longer than training it
                return
            errors = units.predict(model, held_out.windows) - held_out.targets
            epochs.append(round(done))
            rmse.append(float(np.sqrt(np.mean(errors**2))))

        model = fit(NETWORKS[self.network], config, units.of(trained), on_progress)
        accuracy = keras.metrics.binary_accuracy(
            units.of(held_out).targets.astype(np.float32), units.answer(model, held_out.windows).astype(np.float32)
        )
        return {
            "predictions": units.predict(model, rows.windows).tolist(),
            "accuracy": float(np.mean(accuracy)),
            "epochs": epochs,
            "rmse": rmse,
        }


class _Units:
    """Scaling of the values for the network and back; without rows to take it from, none."""

    def __init__(self, trained: Rows | None) -> None:
        windows, targets = (trained.windows, trained.targets) if trained else (None, None)
        self.mean, self.deviation = _moments(windows)
        self.target_mean, self.target_deviation = _moments(targets)

    def of(self, rows: Rows) -> Rows:
        return replace(
            rows,
            values=(rows.values - self.mean) / self.deviation,
            targets=(rows.targets - self.target_mean) / self.target_deviation,
        )

    def predict(self, model: "keras.Sequential", windows: Values) -> Values:
        return self.answer(model, windows) * self.target_deviation + self.target_mean

    def answer(self, model: "keras.Sequential", windows: Values) -> Values:
        """Predict in the units that the network was fitted in."""
        values = ((windows - self.mean) / self.deviation)[:, -model.input_shape[1] :]
        answers = model(values.reshape(-1, *model.input_shape[1:]).astype(np.float32))
        return np.asarray(answers, np.float64)[:, 0]


def _moments(values: Values | None) -> tuple[float, float]:
    return (0.0, 1.0) if values is None else (float(values.mean()), float(values.std()))


def article_runs(config: ReportConfig) -> list[ArticleRun]:
    """One run for each network, way and seed; the LSTMs, which take longest, first."""
    return [
        ArticleRun(way, network, seed, config.article_epochs)
        for network in ARTICLE_NETWORKS
        for way in reversed(WAYS)
        for seed in config.all_seeds
    ]
