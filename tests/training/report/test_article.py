import keras
import numpy as np
import pytest

from training.config import TrainConfig
from training.data.series import load_rows
from training.fit import fit
from training.networks.registry import NETWORKS
from training.report.article import WAYS, ArticleRun, article_runs
from training.report.config import ReportConfig

EPOCHS = 40


def test_every_recipe_and_network_runs_once_a_seed_with_the_epochs_of_its_recipe() -> None:
    runs = article_runs(ReportConfig())

    assert len(set(runs)) == len(WAYS) * 2 * 5
    assert {run.epochs for run in runs} == {None}


@pytest.mark.parametrize("network", ["lstm", "mlp"])
def test_the_raw_way_is_the_articles_recipe_itself(network: str) -> None:
    config = TrainConfig(recipe="article", epochs=EPOCHS, seed=1)
    rows = load_rows(config)
    trained, held_out = rows.split(0.05, 0)

    result = ArticleRun("raw", network, 1, EPOCHS).run()

    model = fit(NETWORKS[network], config, trained, lambda _model, _done, _loss: None)
    inputs = rows.windows[:, -model.input_shape[1] :].reshape(-1, *model.input_shape[1:]).astype(np.float32)
    assert result["predictions"] == np.asarray(model(inputs), np.float64)[:, 0].tolist()
    assert len(result["predictions"]) == len(trained.targets) + len(held_out.targets)


@pytest.mark.parametrize("way", WAYS)
def test_the_last_stop_of_the_mlp_is_the_finished_model(way: str) -> None:
    result = ArticleRun(way, "mlp", 0, EPOCHS).run()

    errors = np.array(result["predictions"][-5:]) - load_rows(TrainConfig()).targets[-5:]
    assert result["epochs"][-1] == EPOCHS
    assert result["rmse"][-1] == pytest.approx(np.sqrt(np.mean(errors**2)))


def test_normalised_values_are_fitted_sooner_by_the_same_recipe() -> None:
    raw, normalised = (
        np.array(ArticleRun(way, "lstm", 0, EPOCHS).run()["predictions"]) for way in ("raw", "normalised")
    )

    targets = load_rows(TrainConfig()).targets
    assert np.abs(normalised[:95] - targets[:95]).mean() < np.abs(raw[:95] - targets[:95]).mean() / 2


def test_accuracy_is_the_number_that_keras_gives_for_it() -> None:
    config = TrainConfig(recipe="article", epochs=EPOCHS)
    trained, held_out = load_rows(config).split(0.05, 0)
    model = fit(NETWORKS["mlp"], config, trained, lambda _model, _done, _loss: None)
    model.compile(loss="mse", metrics=["accuracy"])

    keras_gives = model.evaluate(held_out.windows[:, -1:], held_out.targets[:, None], verbose=0, return_dict=True)

    assert ArticleRun("raw", "mlp", 0, EPOCHS).run()["accuracy"] == keras_gives["accuracy"] == 0
    # For targets of 0 and 1 it is the share of rows on the right side of 0.5.
    assert keras.metrics.binary_accuracy(
        np.array([[1.0], [0.0], [1.0]]), np.array([[3.0], [0.4], [0.2]])
    ).numpy().mean() == (pytest.approx(2 / 3))
