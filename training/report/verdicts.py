"""Verdicts of the span experiment by fixed rules: whether the LSTM wins, and the reason where it loses."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from training.values import Values

LEVEL = 1.02  # a ratio of errors closer to 1 than this counts as level
GAP = 1.25  # an error has to be this much larger than another to be given as the reason
REASONS = {
    "extrapolates": "the held-out windows lie outside of the range that it was trained on, where its units saturate",
    "overfits": "it has learnt the trained rows better than the rule behind them, and errs more on the held-out ones",
    "underfits": "it has not found the rule within the budget that was enough for the other",
    "falls short": "it finds the rule, but not as exactly as the other",
}


class Verdict(NamedTuple):
    """ratio: the LSTM's RMSE over that of the best other, `rival`, both their means over the seeds."""

    outcome: str
    rival: str
    ratio: float
    why: str | None


def judge(rmse: Mapping[str, Values], trained_rmse: Mapping[str, Values], outside: float) -> Verdict:
    """The LSTM beside the best of the other contenders; rmse[contender]: (seeds,), all contenders on the same draws.

    It loses where its error is larger with every seed and by over 2 % on average, wins where the reverse is true;
    all else is level. outside: the share of held-out windows that leave the trained range.
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
    if worse and outside > 0.5:  # noqa: PLR2004 - most of them
        return "extrapolates"
    if worse:
        return "overfits"
    return "underfits" if trained > GAP * float(np.mean(rmse[rival])) else "falls short"
