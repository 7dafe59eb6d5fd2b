"""`score_versions`: errors of the live and the kept versions of a model on actual values, beside those of baselines.

Baselines are computed from the windows themselves: persistence repeats a window's last value; seasonal naive repeats
the value one season before each step, or as many seasons before as it takes. Nothing but sums is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifact import Batch, BoundOverflow, ModelCard
from service.inference.errors import PredictionOverflow
from service.inference.loader import LiveModel
from service.inference.tally import Errors, Scores

LEVELS = (80, 95)
CHUNK_ROWS = 4096  # bounds the memory: errors are float64, and intervals have four numbers for each actual value

Floats = NDArray[np.float64]


class Scored(NamedTuple):
    """scores: by version. skipped: by version, why it could not be scored."""

    scores: dict[int, Scores]
    skipped: dict[int, str]


def score_versions(live: LiveModel, others: Sequence[LiveModel], windows: Batch, actuals: Floats) -> Scored:
    """Forecast windows, (rows, window), with all versions and count their errors on the actuals in their tallies.

    actuals: (rows, steps), NaN where a value is not known. All versions are scored on the same values: those that have
    fewer steps, another horizon or a longer window than the live one are skipped. A longer window than a version takes
    is cut to its end. Raises PredictionOverflow for a row of the live version, before anything is counted.
    """
    scores = {live.card.version: _score(live, windows, actuals)}
    skipped: dict[int, str] = {}
    for model in others:
        problem = _mismatch(model.card, live.card)
        try:
            if problem is None:
                scores[model.card.version] = _score(model, windows[:, -model.card.window :], actuals)
        except PredictionOverflow as error:
            problem = f"its forecast for row {error.row} is beyond float32"
        if problem is not None:
            skipped[model.card.version] = problem
    for model in (live, *others):
        if model.card.version in scores:
            model.tally.add_scores(scores[model.card.version])
    return Scored(scores, skipped)


def _mismatch(card: ModelCard, live: ModelCard) -> str | None:
    """Why a version cannot be scored on what the live one takes and answers."""
    if card.window > live.window:
        return f"it takes windows of {card.window} values, the live version of {live.window}"
    if card.horizon != live.horizon:
        return f"its first step is {card.horizon} rows ahead, that of the live version {live.horizon}"
    if card.steps < live.steps:
        return f"it answers {card.steps} steps, the live version {live.steps}"
    return None


def _score(model: LiveModel, windows: Batch, actuals: Floats) -> Scores:
    total = no_scores(model.card)
    for first in range(0, len(windows), CHUNK_ROWS):
        part = windows[first : first + CHUNK_ROWS]
        forecasts = model.engine.predict(part)
        try:
            total += score(model.card, part, forecasts, actuals[first : first + CHUNK_ROWS])
        except PredictionOverflow as error:
            raise PredictionOverflow(first + error.row) from None
    return total


def score(card: ModelCard, windows: Batch, forecasts: Batch, actuals: Floats) -> Scores:
    """Sums of the errors of forecasts, (rows, steps or more), on the actuals, (rows, steps), NaN for unknown.

    Raises PredictionOverflow for a row whose forecast or interval is beyond float32.
    """
    finite = np.isfinite(forecasts).all(axis=1)
    if not finite.all():
        raise PredictionOverflow(int(np.argmin(finite)))
    steps = actuals.shape[1]
    known = ~np.isnan(actuals)
    values = {"model": forecasts[:, :steps]} | dict(_baselines(card, windows, steps))
    errors = {name: _errors(found, actuals, known) for name, found in values.items()}
    return Scores(int(known.sum()), errors, _covered(card, windows, forecasts, actuals))


def _errors(values: Batch, actuals: Floats, known: NDArray[np.bool_]) -> Errors:
    errors = np.abs(values - actuals)[known]
    return Errors(float(errors.sum()), float((errors**2).sum()))


def _covered(card: ModelCard, windows: Batch, forecasts: Batch, actuals: Floats) -> dict[int, int]:
    """Actual values inside of the interval of each level that the version has; NaN is inside of none."""
    levels = levels_of(card)
    if card.intervals is None or not levels:
        return {}
    try:
        lower, upper = card.intervals.bounds(card.intervals.ends(levels), windows, forecasts)
    except BoundOverflow as error:
        raise PredictionOverflow(error.row) from None
    steps = actuals.shape[1]
    inside = (lower[:, :, :steps] <= actuals) & (actuals <= upper[:, :, :steps])
    return dict(zip(levels, inside.sum(axis=(1, 2)).tolist(), strict=True))


def _baselines(card: ModelCard, windows: Batch, steps: int) -> Iterator[tuple[str, Batch]]:
    """The forecasts of each baseline that the card allows, (rows, steps)."""
    names = baselines_of(card)
    if "persistence" in names:
        yield "persistence", np.repeat(windows[:, -1:], steps, axis=1)
    if "seasonal_naive" in names:
        ahead = card.horizon + np.arange(steps)  # rows from the window's last value to each step
        season = card.data.season
        back = ahead - season * -(-ahead // season)  # from 1 - season to 0
        yield "seasonal_naive", windows[:, card.window - 1 + back]


def baselines_of(card: ModelCard) -> list[str]:
    """Names of the baselines that windows give: none where the window is of another column than the target."""
    is_own = card.horizon > 0 and card.data.target in {None, card.data.column}
    if not is_own:
        return []
    return ["persistence", "seasonal_naive"] if 1 < card.data.season <= card.window else ["persistence"]


def levels_of(card: ModelCard) -> list[int]:
    """Those of the levels 80 and 95 for which a version has prediction intervals."""
    return [level for level in LEVELS if card.intervals is not None and level <= card.intervals.highest_level]


def no_scores(card: ModelCard) -> Scores:
    """Zero, with an entry for everything that a version is scored by."""
    errors = {name: Errors() for name in ("model", *baselines_of(card))}
    return Scores(0, errors, dict.fromkeys(levels_of(card), 0))


def naive_error(card: ModelCard) -> float | None:
    """Mean absolute error of the naive forecast on the training data, the denominator of MASE.

    It follows from the MAE and the MASE on the card; over several series each has its own, and the card has none.
    """
    found = card.evaluation.persistence
    series = (card.data.read or {}).get("series", 1)
    return found.mae / found.mase if found.mase and series == 1 else None


def mean_errors(scores: Scores) -> Mapping[str, tuple[float, float]]:
    """MAE and RMSE by forecast; empty without actual values."""
    count = scores.actuals
    return {n: (e.absolute / count, (e.squared / count) ** 0.5) for n, e in scores.errors.items()} if count else {}
