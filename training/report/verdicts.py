"""Verdicts of the span experiment, by fixed rules: whether the LSTM wins, and the reason if it loses."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from training.values import Values

LEVEL = 1.02  # ratios of errors between 1 / LEVEL and LEVEL count as level
GAP = 1.25  # a reason needs one error to be this many times the other
REASONS = {
    "extrapolates": "the held-out windows lie outside the training range, where its units saturate",
    "overfits": "it overfits: its error on the held-out rows is larger than on the training rows",
    "underfits": "it underfits: the training budget was enough for the best model, but not for it",
    "falls short": "it fits less exactly, without overfitting or underfitting",
}


class Verdict(NamedTuple):
    """outcome: wins, level or loses. rival: the best other model. ratio: mean RMSE of the LSTM over the rival's.

    why: a key of REASONS if the LSTM loses.
    """

    outcome: str
    rival: str
    ratio: float
    why: str | None


def judge(rmse: Mapping[str, Values], trained_rmse: Mapping[str, Values], outside: float) -> Verdict:
    """Compare the LSTM with the best of the other models. rmse, trained_rmse: by model, (seeds,), on the same draws.

    It loses if its error is larger with every seed and by more than 2 % on average, and wins if the reverse is true;
    otherwise it is level. outside: the share of held-out windows outside the training range.
    """
    lstm = rmse["lstm"]
    rival = min((name for name in rmse if name != "lstm"), key=lambda name: float(np.mean(rmse[name])))
    ratio = float(np.mean(lstm) / np.mean(rmse[rival]))
    if ratio > LEVEL and np.all(lstm > rmse[rival]):
        return Verdict("loses", rival, ratio, _why(rmse, trained_rmse, rival, outside))
    wins = ratio < 1 / LEVEL and np.all(lstm < rmse[rival])
    return Verdict("wins" if wins else "level", rival, ratio, None)


def _why(rmse: Mapping[str, Values], trained_rmse: Mapping[str, Values], rival: str, outside: float) -> str:
    held_out, trained = float(np.mean(rmse["lstm"])), float(np.mean(trained_rmse["lstm"]))
    worse = held_out > GAP * trained
    if worse and outside > 0.5:  # noqa: PLR2004 - more than half of them
        return "extrapolates"
    if worse:
        return "overfits"
    return "underfits" if trained > GAP * float(np.mean(rmse[rival])) else "falls short"
