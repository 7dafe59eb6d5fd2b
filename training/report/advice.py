"""One sentence that follows from the numbers: what to deploy on a series, if anything."""

import math
from statistics import NormalDist

import numpy as np

from training.report.names import NAMES
from training.report.rolling import Rolled
from training.series import Values

NAIVE = ("persistence", "mean")
MLPS = ("mlp_last", "mlp", "tanh_mlp")
LEVEL = 0.05


def advise(rolled: Rolled) -> str:
    """The simplest contender that no other beats, and what that means for a deployment.

    From one step to the next the more costly contender has to beat the cheaper one, as `beats` has it.
    """
    naive = _best(rolled, NAIVE)
    others = [name for name in ("linear", *MLPS, "lstm") if beats(rolled, name, naive)]
    label, score = NAMES[naive], _shown(rolled, naive)
    if not others:
        rest = ", ".join(f"{NAMES[name]} {_shown(rolled, name)}" for name in ("linear", _best(rolled, MLPS), "lstm"))
        return f"{label.capitalize()} is not beaten (RMSE {score}; {rest}); do not deploy."
    return f"{_choice(rolled, others)} {label.capitalize()}, the best of what costs nothing, has RMSE {score}."


def _choice(rolled: Rolled, others: list[str]) -> str:
    mlp = _best(rolled, [name for name in MLPS if name in others] or MLPS)
    chosen = "linear" if "linear" in others else next(name for name in (mlp, "lstm") if name in others)
    for name in (mlp, "lstm"):
        if name in others and beats(rolled, name, chosen):
            chosen = name
    lstm = f"the LSTM has {_shown(rolled, 'lstm')}"
    if chosen == "lstm":
        runner_up = _best(rolled, ("linear", *MLPS))
        return (
            f"The LSTM is worth it here: RMSE {_shown(rolled, 'lstm')} against {_shown(rolled, runner_up)} of "
            f"{NAMES[runner_up]}, the best of the others."
        )
    if chosen == "linear":
        return f"Linear least squares is enough (RMSE {_shown(rolled, 'linear')}; {lstm}): no network beats it."
    return f"{NAMES[chosen]} is enough (RMSE {_shown(rolled, chosen)}; {lstm}); do not deploy the LSTM."


def _best(rolled: Rolled, names: "tuple[str, ...] | list[str]") -> str:
    return min(names, key=lambda name: float(rolled.losses(name).mean()))


def _shown(rolled: Rolled, name: str) -> str:
    return f"{math.sqrt(rolled.losses(name).mean()):.4g}"


def beats(rolled: Rolled, name: str, other: str) -> bool:
    """Whether the squared errors of `name` are smaller than by chance once in twenty times."""
    return p_value(rolled.losses(other) - rolled.losses(name), rolled.horizon) < LEVEL


def p_value(gains: Values, horizon: int) -> float:
    """How likely gains this large are, (rows,) in time order, where there is nothing to gain.

    Diebold & Mariano, "Comparing predictive accuracy" (1995), one-sided, with the correction for few rows of Harvey,
    Leybourne & Newbold (1997); errors `horizon` rows ahead are related over as many rows less one.
    """
    rows, lags = len(gains), max(horizon, 1) - 1
    centred = gains - gains.mean()
    covariances = [float(centred[lag:] @ centred[: rows - lag]) / rows for lag in range(min(lags, rows - 1) + 1)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / rows
    if variance <= 0:
        return 0.0 if np.all(gains > 0) else 1.0
    correction = math.sqrt(max(rows + 1 - 2 * (lags + 1) + lags * (lags + 1) / rows, 1) / rows)
    return 1 - NormalDist().cdf(float(gains.mean()) / math.sqrt(variance) * correction)
