"""What the article's comparison says once seeds and normalisation have a say in it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.config import TrainConfig
from training.data.series import load_rows
from training.report import pictures
from training.report.article import ARTICLE_NETWORKS, WAYS, ArticleRun
from training.report.section import Cell, Picture, Section, Spread, Table, number, spread_of
from training.values import Values

STOPS = (0.25, 0.5, 0.75, 0.9, 1.0)
LIMIT = 3  # of the article's residual plots
NOTE = (
    "raw: the article's recipe, values as they are, constant learning rates. normalised: the same recipe on values of "
    "mean 0 and standard deviation 1. scaled: this project's recipe, which normalises inside the network, lets the "
    "learning rate fall and takes twice the epochs. Each is fitted on the first 95 rows; the last five, the top of a "
    "straight line, are held out."
)


class _Found:
    """The results by way and network, seeds in order."""

    def __init__(self, runs: Sequence[ArticleRun], results: Sequence[dict[str, Any]]) -> None:
        self._pairs = list(zip(runs, results, strict=True))
        config = TrainConfig()
        rows = load_rows(config)
        self.targets = rows.targets
        self.last_values = rows.windows[:, -1]
        self.held_out = len(rows.split(config.held_out, config.resolved_horizon)[1].targets)
        self.seeds = sorted({run.seed for run in runs})

    def of(self, way: str, network: str, key: str) -> Values:
        """(seeds, …)."""
        return np.array([result[key] for run, result in self._pairs if (run.way, run.network) == (way, network)])

    def errors(self, way: str, network: str) -> Values:
        """(seeds, rows)."""
        errors: Values = self.of(way, network, "predictions") - self.targets
        return errors

    def rmse(self, way: str, network: str) -> Spread:
        """On the held-out rows."""
        return spread_of(np.sqrt(np.mean(self.errors(way, network)[:, -self.held_out :] ** 2, axis=1)))


def article_section(runs: Sequence[ArticleRun], results: Sequence[dict[str, Any]]) -> Section:
    """The comparison, from `article_runs` and their results."""
    found = _Found(runs, results)
    return Section(
        title="The article's comparison, with more than one seed",
        lead=_lead(found),
        findings=[_normalisation(found), _seeds(found), _stopping_finding(found), _accuracy(found)],
        notes=[NOTE],
        pictures=[_residuals(found), _stopping_picture(found)],
        tables=[_errors_table(found), _top_rows(found), _stopping_table(found)],
    )


def _lead(found: _Found) -> str:
    lstm, mlp = found.rmse("raw", "lstm"), found.rmse("raw", "mlp")
    ahead, behind = ("MLP", "LSTM") if mlp.median < lstm.median else ("LSTM", "MLP")
    return (
        f"By the article's recipe the {ahead} is ahead of the {behind}: RMSE on the held-out rows {lstm} for the LSTM, "
        f"{mlp} for the MLP, over {len(found.seeds)} seeds."
    )


def _normalisation(found: _Found) -> str:
    changes = []
    for network in ARTICLE_NETWORKS:
        raw, normalised = (found.rmse(way, network).median for way in ("raw", "normalised"))
        verb = "falls" if normalised < raw else "rises"
        changes.append(f"the {network.upper()}'s RMSE {verb} from {number(raw)} to {number(normalised)}")
    scaled = ", ".join(
        f"{number(found.rmse('scaled', name).median)} for the {name.upper()}" for name in ARTICLE_NETWORKS
    )
    return f"Normalised instead of raw, {' and '.join(changes)}; with the scaled recipe it is {scaled}."


def _seeds(found: _Found) -> str:
    spread = found.rmse("raw", "mlp")
    return (
        f"The MLP's result depends on its seed: nothing else differs, and its RMSE goes from {number(spread.low)} to "
        f"{number(spread.high)}, a factor of {number(spread.high / spread.low)}."
    )


def _stopping_finding(found: _Found) -> str:
    rmse, epochs = found.of("raw", "mlp", "rmse"), found.of("raw", "mlp", "epochs")[0]
    late = rmse[:, epochs >= STOPS[-2] * epochs[-1]]
    factors = late.max(axis=1) / late.min(axis=1)
    seed = int(np.argmax(factors))
    return (
        f"And on the epoch that it is stopped at: between epoch {int(epochs[epochs >= STOPS[-2] * epochs[-1]][0])} and "
        f"{int(epochs[-1])} that of seed {found.seeds[seed]} moves between {number(late[seed].min())} and "
        f"{number(late[seed].max())}. A constant learning rate does not settle."
    )


def _accuracy(found: _Found) -> str:
    values = [float(value) for way in WAYS for name in ARTICLE_NETWORKS for value in found.of(way, name, "accuracy")]
    least, most = min(values), max(values)
    shown = number(least) if least == most else f"{number(least)} to {number(most)}"
    medians = [found.rmse(way, name).median for way in WAYS for name in ARTICLE_NETWORKS]
    return (
        f"Accuracy says nothing here: Keras gives {shown} for models whose RMSE goes from {number(min(medians))} to "
        f"{number(max(medians))}. For one output it counts the rows whose target equals 1 or 0, by whether the "
        "prediction is over a half: a measure for classes, of which a regression has none. A share of exactly equal "
        "numbers, which one might take it for, is in the table beside it, and says no more."
    )


def _errors_table(found: _Found) -> Table:
    rows: list[list[Cell]] = []
    for way in WAYS:
        for network in ARTICLE_NETWORKS:
            errors = found.errors(way, network)
            trained = np.sqrt(np.mean(errors[:, : -found.held_out] ** 2, axis=1))
            most = np.abs(errors[:, -found.held_out :]).max(axis=1)
            equal = np.mean((errors[:, -found.held_out :].astype(np.float32)) == 0, axis=1)
            accuracy = found.of(way, network, "accuracy")
            rmse = found.rmse(way, network)
            scores = [spread_of(trained), rmse, spread_of(most), spread_of(accuracy), spread_of(equal)]
            rows.append([way, network.upper(), *scores])
    columns = ("recipe", "network", "RMSE, trained rows", "RMSE, held-out rows", "largest error, held-out rows")
    return Table(
        "article-errors",
        f"Errors in the target's unit: median over {len(found.seeds)} seeds (least to most)",
        (*columns, "Keras' accuracy", "exactly equal"),
        rows,
    )


def _top_rows(found: _Found) -> Table:
    pairs = [(way, network) for way in WAYS for network in ARTICLE_NETWORKS]
    rows: list[list[Cell]] = []
    for k in range(len(found.targets) - found.held_out, len(found.targets)):
        predictions: list[Cell] = [spread_of(found.errors(*pair)[:, k]) for pair in pairs]
        rows.append([float(found.last_values[k]), f"{found.targets[k]:.1f}", *predictions])
    return Table(
        "article-top-rows",
        "The top five held-out rows: prediction - y, median over the seeds (least to most)",
        ("x", "y", *(f"{network.upper()}, {way}" for way, network in pairs)),
        rows,
    )


def _stopping_table(found: _Found) -> Table:
    rmse, epochs = found.of("raw", "mlp", "rmse"), found.of("raw", "mlp", "epochs")[0]
    chosen = [int(np.argmin(np.abs(epochs - share * epochs[-1]))) for share in STOPS]
    rows: list[list[Cell]] = [[str(int(epochs[k])), *(float(value) for value in rmse[:, k])] for k in chosen]
    best = [str(int(epochs[k])) for k in rmse.argmin(axis=1)]
    rows.append(["best of all", *(f"{number(float(rmse[k].min()))} at {best[k]}" for k in range(len(rmse)))])
    return Table(
        "article-mlp-stopping",
        "The article's MLP: RMSE on the held-out rows by seed and by the epoch that it is stopped at",
        ("stopped at epoch", *(f"seed {seed}" for seed in found.seeds)),
        rows,
    )


def _residuals(found: _Found) -> Picture:
    panels = {way: {name: (found.targets, found.errors(way, name)) for name in ARTICLE_NETWORKS} for way in WAYS}
    beyond = {
        (way, name): int(np.sum(np.abs(errors) > LIMIT)) for way in WAYS for name, (_, errors) in panels[way].items()
    }
    cut_off = ", ".join(f"{count} of {name.upper()} {way}" for (way, name), count in beyond.items() if count)
    return Picture(
        "article-residuals",
        "Prediction - y over y: points of one seed, in a band of all; held-out rows on grey. "
        f"Beyond ±{LIMIT}, of all seeds: {cut_off or 'none'}.",
        "Six scatter plots of residuals over y, LSTM left and MLP right, for the raw, normalised and scaled recipe.",
        pictures.residuals(panels, float(found.targets[-found.held_out]) - 0.9),
    )


def _stopping_picture(found: _Found) -> Picture:
    epochs = [int(epoch) for epoch in found.of("raw", "mlp", "epochs")[0]]
    return Picture(
        "article-mlp-stopping",
        "The article's MLP: RMSE on the held-out rows over the epochs, a line a seed.",
        "Lines that fall, then jump up and down by orders of magnitude to the last epoch.",
        pictures.stopping(epochs, found.of("raw", "mlp", "rmse")),
    )
