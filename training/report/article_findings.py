"""Report section on the article's comparison, repeated with several seeds and with normalised values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.config import TrainConfig
from training.data.series import load_rows
from training.report import pictures
from training.report.article import ARTICLE_NETWORKS, WAYS, ArticleRun
from training.report.section import Cell, MedianRange, Picture, Section, Table, median_range, number
from training.values import Values

STOPS = (0.25, 0.5, 0.75, 0.9, 1.0)
LIMIT = 3  # of the article's residual plots
NOTE = (
    "raw: the article's recipe, on unscaled values with constant learning rates. normalised: the same recipe on values "
    "with mean 0 and standard deviation 1. scaled: this project's recipe, which normalises inside the network, decays "
    "the learning rate and trains for twice as many epochs. Each is fitted on the first 95 rows. The last five rows, "
    "the highest values of the straight line, are held out."
)


class _ArticleResults:
    """The results by way and network, seeds in order."""

    def __init__(self, runs: Sequence[ArticleRun], results: Sequence[dict[str, Any]]) -> None:
        self._pairs = list(zip(runs, results, strict=True))
        config = TrainConfig()
        rows = load_rows(config)
        self.targets = rows.targets
        self.last_values = rows.windows[:, -1]
        self.held_out = len(rows.split(config.resolved_held_out, config.resolved_horizon)[1].targets)
        self.seeds = sorted({run.seed for run in runs})

    def of(self, way: str, network: str, key: str) -> Values:
        """(seeds, …)."""
        return np.array([result[key] for run, result in self._pairs if (run.way, run.network) == (way, network)])

    def errors(self, way: str, network: str) -> Values:
        """(seeds, rows)."""
        errors: Values = self.of(way, network, "predictions") - self.targets
        return errors

    def rmse(self, way: str, network: str) -> MedianRange:
        """On the held-out rows."""
        return median_range(np.sqrt(np.mean(self.errors(way, network)[:, -self.held_out :] ** 2, axis=1)))


def article_section(runs: Sequence[ArticleRun], results: Sequence[dict[str, Any]]) -> Section:
    """The comparison, from `article_runs` and their results."""
    data = _ArticleResults(runs, results)
    return Section(
        title="The article's comparison, with more than one seed",
        lead=_lead(data),
        findings=[_normalisation(data), _seeds(data), _stopping_finding(data), _accuracy(data)],
        notes=[NOTE],
        pictures=[_residuals(data), _stopping_picture(data)],
        tables=[_errors_table(data), _top_rows(data), _stopping_table(data)],
    )


def _lead(data: _ArticleResults) -> str:
    lstm, mlp = data.rmse("raw", "lstm"), data.rmse("raw", "mlp")
    ahead, behind = ("MLP", "LSTM") if mlp.median < lstm.median else ("LSTM", "MLP")
    return (
        f"With the article's recipe the {ahead} is better than the {behind}: over {len(data.seeds)} seeds, the RMSE "
        f"on the held-out rows is {lstm} for the LSTM and {mlp} for the MLP."
    )


def _normalisation(data: _ArticleResults) -> str:
    changes = []
    for network in ARTICLE_NETWORKS:
        raw, normalised = (data.rmse(way, network).median for way in ("raw", "normalised"))
        verb = "falls" if normalised < raw else "rises"
        changes.append(f"the {network.upper()}'s RMSE {verb} from {number(raw)} to {number(normalised)}")
    scaled = ", ".join(
        f"{number(data.rmse('scaled', name).median)} for the {name.upper()}" for name in ARTICLE_NETWORKS
    )
    return f"With normalised instead of raw values {' and '.join(changes)}. With the scaled recipe it is {scaled}."


def _seeds(data: _ArticleResults) -> str:
    rmse = data.rmse("raw", "mlp")
    return (
        f"The MLP's result depends on the seed: with all else equal, its RMSE is between {number(rmse.low)} and "
        f"{number(rmse.high)}, a factor of {number(rmse.high / rmse.low)}."
    )


def _stopping_finding(data: _ArticleResults) -> str:
    rmse, epochs = data.of("raw", "mlp", "rmse"), data.of("raw", "mlp", "epochs")[0]
    late = rmse[:, epochs >= STOPS[-2] * epochs[-1]]
    factors = late.max(axis=1) / late.min(axis=1)
    seed = int(np.argmax(factors))
    return (
        f"It also depends on the last epoch: between epoch {int(epochs[epochs >= STOPS[-2] * epochs[-1]][0])} and "
        f"{int(epochs[-1])} the RMSE of seed {data.seeds[seed]} varies between {number(late[seed].min())} and "
        f"{number(late[seed].max())}. With a constant learning rate it does not converge."
    )


def _accuracy(data: _ArticleResults) -> str:
    values = [float(value) for way in WAYS for name in ARTICLE_NETWORKS for value in data.of(way, name, "accuracy")]
    least, most = min(values), max(values)
    accuracy = number(least) if least == most else f"{number(least)} to {number(most)}"
    medians = [data.rmse(way, name).median for way in WAYS for name in ARTICLE_NETWORKS]
    return (
        f"Accuracy is no measure of a regression: Keras reports {accuracy} for models with RMSEs from "
        f"{number(min(medians))} to {number(max(medians))}. For one output, it is the share of rows whose target "
        "equals 1 if the prediction is above 0.5, and 0 otherwise. The table also has the share of predictions that "
        "equal their target exactly, which is no more useful."
    )


def _errors_table(data: _ArticleResults) -> Table:
    rows: list[list[Cell]] = []
    for way in WAYS:
        for network in ARTICLE_NETWORKS:
            errors = data.errors(way, network)
            trained = np.sqrt(np.mean(errors[:, : -data.held_out] ** 2, axis=1))
            most = np.abs(errors[:, -data.held_out :]).max(axis=1)
            equal = np.mean((errors[:, -data.held_out :].astype(np.float32)) == 0, axis=1)
            accuracy = data.of(way, network, "accuracy")
            rmse = data.rmse(way, network)
            scores = [median_range(trained), rmse, median_range(most), median_range(accuracy), median_range(equal)]
            rows.append([way, network.upper(), *scores])
    columns = ("recipe", "network", "RMSE, training rows", "RMSE, held-out rows", "largest error, held-out rows")
    return Table(
        "article-errors",
        f"Errors in the unit of the target: median over {len(data.seeds)} seeds (minimum to maximum)",
        (*columns, "Keras' accuracy", "exactly equal"),
        rows,
    )


def _top_rows(data: _ArticleResults) -> Table:
    pairs = [(way, network) for way in WAYS for network in ARTICLE_NETWORKS]
    rows: list[list[Cell]] = []
    for k in range(len(data.targets) - data.held_out, len(data.targets)):
        predictions: list[Cell] = [median_range(data.errors(*pair)[:, k]) for pair in pairs]
        rows.append([float(data.last_values[k]), f"{data.targets[k]:.1f}", *predictions])
    return Table(
        "article-top-rows",
        "The five held-out rows: prediction - y, median over the seeds (minimum to maximum)",
        ("x", "y", *(f"{network.upper()}, {way}" for way, network in pairs)),
        rows,
    )


def _stopping_table(data: _ArticleResults) -> Table:
    rmse, epochs = data.of("raw", "mlp", "rmse"), data.of("raw", "mlp", "epochs")[0]
    chosen = [int(np.argmin(np.abs(epochs - share * epochs[-1]))) for share in STOPS]
    rows: list[list[Cell]] = [[str(int(epochs[k])), *(float(value) for value in rmse[:, k])] for k in chosen]
    best = [str(int(epochs[k])) for k in rmse.argmin(axis=1)]
    rows.append(["best epoch", *(f"{number(float(rmse[k].min()))} at {best[k]}" for k in range(len(rmse)))])
    return Table(
        "article-mlp-stopping",
        "The article's MLP: RMSE on the held-out rows, by seed and last epoch",
        ("last epoch", *(f"seed {seed}" for seed in data.seeds)),
        rows,
    )


def _residuals(data: _ArticleResults) -> Picture:
    panels = {way: {name: (data.targets, data.errors(way, name)) for name in ARTICLE_NETWORKS} for way in WAYS}
    beyond = {
        (way, name): int(np.sum(np.abs(errors) > LIMIT)) for way in WAYS for name, (_, errors) in panels[way].items()
    }
    cut_off = ", ".join(f"{count} of {name.upper()} {way}" for (way, name), count in beyond.items() if count)
    return Picture(
        "article-residuals",
        "Residuals (prediction - y) over y: the points are one seed, the band covers all seeds, and the held-out rows "
        f"have a grey background. Points beyond ±{LIMIT}, over all seeds: {cut_off or 'none'}.",
        "Six scatter plots of residuals over y, LSTM left and MLP right, for the raw, normalised and scaled recipe.",
        pictures.residuals(panels, float(data.targets[-data.held_out]) - 0.9),
    )


def _stopping_picture(data: _ArticleResults) -> Picture:
    epochs = [int(epoch) for epoch in data.of("raw", "mlp", "epochs")[0]]
    return Picture(
        "article-mlp-stopping",
        "The article's MLP: RMSE on the held-out rows over the epochs, one line for each seed.",
        "Lines that fall at first, then vary by orders of magnitude until the last epoch.",
        pictures.stopping(epochs, data.of("raw", "mlp", "rmse")),
    )
