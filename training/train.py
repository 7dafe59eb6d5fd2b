"""The stages of a training run for one network: split, fit, evaluate, fit again on all rows, export, describe."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np

from artifact import CardDraft, check_golden
from training.card import Subject, data_source, draft_card
from training.config import TrainConfig
from training.console import StartFit, show_nothing
from training.data.rows import Rows
from training.ends import held_out_rows
from training.evaluate import evaluate
from training.export import export
from training.fit import fit
from training.networks.network import Network
from training.networks.registry import NETWORKS
from training.values import Values


class HeldOut(NamedTuple):
    """What a model was evaluated on, so that another version can be judged by the same windows.

    windows: (rows, n), as the network sees them. error: takes forecasts, (rows, steps), and gives the number named
    `metric`, the lower the better. own: the error of the model itself, fitted without these windows.
    """

    windows: Values
    metric: str
    error: Callable[[Values], float]
    own: float


class Trained(NamedTuple):
    """What `artifact.publish` takes, the draft of the card and the files by name; and what the model was judged by."""

    draft: CardDraft
    files: dict[str, bytes]
    held_out: HeldOut


def fits_of(config: TrainConfig) -> int:
    """How many fits `train` makes for one network."""
    return 2 if config.resolved_recipe == "scaled" else 1


def train(name: str, config: TrainConfig, rows: Rows, start_fit: StartFit = show_nothing) -> Trained:
    """Train the registry's network `name` on `rows`; `start_fit` is told of each fit and its progress.

    Raises ArtifactError if the loss diverges or the exported files do not give the same predictions.
    """
    network = NETWORKS[name]
    fitted_rows, held_out = rows.split(config.resolved_held_out, config.resolved_horizon)
    model = _fit(network, config, fitted_rows, start_fit)
    inputs = network.inputs(held_out.windows)
    predictions = predict(model, inputs)
    evaluation = evaluate(predictions, fitted_rows, held_out)
    judged = HeldOut(inputs, "MAE", partial(_mae, held_out.targets), evaluation.model.mae)
    places = held_out.last + config.resolved_horizon
    kept = held_out_rows(held_out.table, places, held_out.targets, predictions)
    if config.resolved_recipe == "scaled":
        # The published weights are fitted on all rows: the newest, which are held out above, say most of what comes
        # next. The metrics stay those of the fit that did not see the held-out rows.
        fitted_rows = rows
        model = _fit(network, config, rows, start_fit)
    exported = export(model, network.inputs(fitted_rows.windows).astype(np.float32))
    source = data_source(config, fitted_rows.table, len(fitted_rows.targets), fitted_rows.sha256())
    inputs = network.inputs(fitted_rows.windows)
    subject = Subject(inputs, fitted_rows.targets, source, fitted_rows.values, fitted_rows.table, kept)
    draft = draft_card(network, config, subject, evaluation, model, exported)
    check_golden(draft, exported.litert)
    return Trained(draft, exported.files, judged)


def _mae(targets: Values, forecasts: Values) -> float:
    return float(np.mean(np.abs(forecasts[:, 0] - targets)))


def _fit(network: Network, config: TrainConfig, rows: Rows, start_fit: StartFit) -> keras.Sequential:
    on_epochs = start_fit(f"{network.name} on {len(rows.targets)} rows")
    return fit(network, config, rows, lambda _model, done, loss: on_epochs(done, loss))


def predict(model: keras.Sequential, inputs: Values) -> Values:
    """Run a Keras model, (rows, n) → (rows,)."""
    batch = inputs.reshape(-1, *model.input_shape[1:]).astype(np.float32)
    return np.asarray(model(batch), np.float64)[:, 0]
