"""The stages of a training run for one network: split, fit, evaluate, fit again on all rows, export, describe."""

from typing import NamedTuple

import keras
import numpy as np

from artifact import LITERT_FILE, CardDraft, check_golden
from training.card import draft_card
from training.config import TrainConfig
from training.console import show_epochs
from training.data.series import Rows, Values
from training.evaluate import evaluate
from training.export import export, predict_litert
from training.fit import fit
from training.networks.network import Network
from training.networks.registry import NETWORKS


class Trained(NamedTuple):
    """What `artifact.publish` takes: the draft of the card, and the files by name."""

    draft: CardDraft
    files: dict[str, bytes]


def train(name: str, config: TrainConfig, rows: Rows) -> Trained:
    """Train the registry's network `name` on `rows`.

    Raises ArtifactError if the loss diverges or the exported files do not give the same predictions.
    """
    network = NETWORKS[name]
    fitted_rows, held_out = rows.split(config.held_out, config.resolved_horizon)
    model = _fit(network, config, fitted_rows)
    evaluation = evaluate(predict(model, network.inputs(held_out.windows)), fitted_rows, held_out)
    if config.recipe == "scaled":
        # The published weights are fitted on all rows: the newest, which are held out above, say most of what comes
        # next. The metrics stay those of the fit that did not see the held-out rows.
        fitted_rows = rows
        model = _fit(network, config, rows)
    files = export(model, network.inputs(fitted_rows.windows).astype(np.float32))
    draft = draft_card(network, config, fitted_rows, evaluation, model, files)
    check_golden(draft, lambda batch: predict_litert(files[LITERT_FILE], batch))
    return Trained(draft, files)


def _fit(network: Network, config: TrainConfig, rows: Rows) -> keras.Sequential:
    with show_epochs(f"{network.name} on {len(rows.targets)} rows", config.resolved_epochs) as on_epochs:
        return fit(network, config, rows, lambda _model, done, loss: on_epochs(done, loss))


def predict(model: keras.Sequential, inputs: Values) -> Values:
    """Run a Keras model, (rows, n) → (rows,)."""
    batch = inputs.reshape(-1, *model.input_shape[1:]).astype(np.float32)
    return np.asarray(model(batch), np.float64)[:, 0]
