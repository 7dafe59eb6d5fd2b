"""Accuracy of the two recipes in full training runs."""

from functools import cache

import numpy as np
import pytest

from artifact import LITERT_FILE, verify
from tests.repository import SHIPPED
from training.config import TrainConfig
from training.data.series import load_rows
from training.export import predict_litert
from training.train import Trained, train

SEEDS = (0, 1)


@cache
def trained(name: str, recipe: str, seed: int) -> Trained:
    config = TrainConfig(recipe=recipe, seed=seed)
    return train(name, config, load_rows(config))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "tolerance"), [("lstm", 0.01), ("mlp", 0.001)])
def test_the_default_recipe_meets_the_true_y_on_every_row(name: str, tolerance: float, seed: int) -> None:
    rows = load_rows(TrainConfig())
    inputs = rows.windows if name == "lstm" else rows.windows[:, -1:]

    predictions = predict_litert(trained(name, "scaled", seed).files[LITERT_FILE], inputs.astype(np.float32))

    assert np.abs(predictions[:, 0] - rows.targets).max() <= tolerance


def test_the_default_recipe_carries_the_lstm_over_the_held_out_top_rows() -> None:
    errors = [trained("lstm", "scaled", seed).draft.evaluation.model.max_abs_error for seed in SEEDS]

    assert np.median(errors) <= 0.1


def test_the_article_recipe_loses_the_lstm_in_the_upper_range_and_keeps_the_mlp() -> None:
    lstm = trained("lstm", "article", 0).draft.evaluation.model
    mlp = trained("mlp", "article", 0).draft.evaluation.model

    assert trained("lstm", "article", 0).draft.fitted_on == "rows before the held-out ones"
    assert 3 <= lstm.max_abs_error <= 4
    assert mlp.max_abs_error < 0.5


def resolved(config: TrainConfig) -> dict[str, object]:
    """The options of a fit, with defaults where the config has none."""
    names = ("recipe", "epochs", "batch_size", "learning_rate", "held_out", "horizon", "window")
    return {name: getattr(config, f"resolved_{name}") for name in names} | {"seed": config.seed}


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_the_config_on_a_shipped_card_makes_the_shipped_predictions_again(name: str) -> None:
    card, files = verify(SHIPPED, name, 1)
    config = TrainConfig(**{option: value for option, value in card.config.items() if value is not None})
    rows = load_rows(config)
    windows = (rows.windows if name == "lstm" else rows.windows[:, -1:]).astype(np.float32)

    assert resolved(config) == resolved(TrainConfig(recipe="scaled", seed=0))
    again = trained(name, "scaled", 0)

    assert again.draft.data == card.data
    np.testing.assert_allclose(
        predict_litert(again.files[LITERT_FILE], windows),
        predict_litert(files[LITERT_FILE], windows),
        rtol=1e-3,
    )
