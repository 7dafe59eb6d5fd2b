"""Advice for a series: which model to deploy, from significance tests on rolling-origin errors."""

import math
from collections.abc import Sequence

import numpy as np

from training.report.names import NAMES, TRAINED_WITH
from training.report.rolling import RollingResults
from training.report.section import number
from training.values import Values

NAIVE = ("persistence", "mean")
MLPS = ("mlp_last", "mlp", "tanh_mlp")
LSTMS = ("lstm", "combination")
LEVEL = 0.05  # significance level, the usual one
GAIN = 0.02  # of the RMSE: a smaller gain is not worth a costlier model, even if it is significant


def advise(rolled: RollingResults) -> str:
    """Recommend, in one sentence, the cheapest model that no costlier one beats, and whether to deploy it."""
    naive, mlp = _best(rolled, NAIVE), _best(rolled, MLPS)
    lstm = _best(rolled, [name for name in LSTMS if name in rolled.contenders])
    chosen = naive
    for name in ("linear", mlp, lstm):
        if beats(rolled, name, chosen) and name == _best(rolled, (chosen, mlp, name)):
            chosen = name
    # Near the significance level a network can just pass the test while least squares, with equal errors, just fails.
    if chosen != naive and not _smaller(rolled, chosen, "linear"):
        chosen = "linear"
    rest = [name for name in (naive, "linear", mlp, lstm) if name != chosen]
    others = ", ".join(f"{NAMES[name]} {_rmse(rolled, name)}" for name in rest)
    subject = f"{NAMES[chosen][0].upper()}{NAMES[chosen][1:]}"
    errors = f"RMSE {_rmse(rolled, chosen)}; {others}."
    flags = f" Train it with {TRAINED_WITH[chosen]}." if chosen in TRAINED_WITH else ""
    return f"{subject} {_verdict(chosen, naive)}; {_action(rolled, chosen, lstm)}. {errors}{flags}"


def _verdict(chosen: str, naive: str) -> str:
    if chosen == naive:
        return "is not beaten by any model"
    return "is the best model" if chosen in LSTMS else "is enough: no costlier model beats it"


def _action(rolled: RollingResults, chosen: str, lstm: str) -> str:
    if chosen in NAIVE:
        return "do not deploy a model"
    if chosen in (*LSTMS, "mlp_last"):
        return "deploy it"
    if not _smaller(rolled, chosen, lstm):
        return f"deploy it, or the {NAMES[lstm]}, which is as good"
    if not beats(rolled, chosen, lstm):
        return f"deploy it, though the {NAMES[lstm]} is not significantly worse"
    return "deploy it, not the LSTM"


def _best(rolled: RollingResults, names: Sequence[str]) -> str:
    return min(names, key=lambda name: float(rolled.losses(name).mean()))


def _rmse(rolled: RollingResults, name: str) -> str:
    return number(math.sqrt(rolled.losses(name).mean()))


def beats(rolled: RollingResults, name: str, other: str) -> bool:
    """Whether the RMSE of `name` is lower by more than 2 %, and significantly so at the 5 % level."""
    gains = rolled.losses(other) - rolled.losses(name)
    return _smaller(rolled, name, other) and p_value(gains, rolled.horizon) < LEVEL


def _smaller(rolled: RollingResults, name: str, other: str) -> bool:
    return bool(rolled.losses(name).mean() < (1 - GAIN) ** 2 * rolled.losses(other).mean())


def p_value(gains: Values, horizon: int) -> float:
    """The p-value of the mean of `gains`, (rows,) in time order: differences of squared errors.

    Diebold & Mariano, "Comparing predictive accuracy" (1995), one-sided, as corrected for few rows by Harvey,
    Leybourne & Newbold (1997); errors `horizon` rows ahead are correlated over `horizon` - 1 rows.
    """
    rows, lags = len(gains), min(max(horizon, 1), len(gains)) - 1
    centred = gains - gains.mean()
    covariances = [float(centred[lag:] @ centred[: rows - lag]) / rows for lag in range(lags + 1)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / rows
    if variance <= 0:
        return 0.0 if np.all(gains > 0) else 1.0
    correction = (rows - 1 - 2 * lags + lags * (lags + 1) / rows) / rows
    return tail(float(gains.mean()) * math.sqrt(max(correction, 0) / variance), rows - 1)


def tail(t: float, freedom: int) -> float:
    """P(T > t) for Student's distribution with `freedom` degrees of freedom, by integrating its density."""
    x = np.linspace(0, abs(t), 10_001)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi * freedom)
    within = float(np.trapezoid((1 + x**2 / freedom) ** (-(freedom + 1) / 2), x)) * scale
    return 0.5 - math.copysign(within, t)
