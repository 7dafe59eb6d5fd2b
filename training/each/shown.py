"""The result of a run with `--each`: one row for each network."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from artifact import ModelCard

COLUMNS = ("models", "mean MASE", "persistence", "seasonal naive", "linear", "lose to one")


class Errors(NamedTuple):
    """Errors of one published model: MASE of the model and of the baselines, and whether one of these is better."""

    network: str
    mase: dict[str, float | None]
    loses: bool


def errors_of(card: ModelCard) -> Errors:
    """What the summary needs of a card, so that the cards of thousands need not be kept."""
    evaluation = card.evaluation
    rows = {"mean MASE": evaluation.model} | {key.replace("_", " "): one for key, one in evaluation.baselines.items()}
    return Errors(card.network, {name: metrics.mase for name, metrics in rows.items()}, bool(evaluation.loses_to))


def summary(found: Sequence[Errors]) -> str:
    """A table with a row for each network: the errors on held-out windows, as means over the series."""
    networks = dict.fromkeys(one.network for one in found)
    return "\n".join([_line("network", COLUMNS), *(_row(name, found) for name in networks)])


def _row(network: str, found: Sequence[Errors]) -> str:
    own = [one for one in found if one.network == network]
    means = [_mean([one.mase.get(column) for one in own]) for column in COLUMNS[1:-1]]
    return _line(network, [f"{len(own):,}", *means, f"{sum(one.loses for one in own) / len(own):.0%}"])


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.4g}" if known else "-"


def _line(first: str, rest: Sequence[str]) -> str:
    return first.ljust(12) + "".join(f"{text:>16}" for text in rest)
