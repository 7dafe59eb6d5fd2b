"""The contender of the report that is trained by the combination recipe: an LSTM that weights standard forecasts."""

from dataclasses import replace
from functools import cache

import numpy as np

from training.backtest.windows import Stretches, Windows, make_windows
from training.combination.fit import Fits, Stage
from training.combination.run import predict
from training.combination.sizes import sizes_for
from training.combination.window import default_window
from training.config import TrainConfig
from training.console import show_nothing
from training.data.rows import Rows
from training.networks.registry import NETWORKS
from training.report.config import HELD_OUT
from training.values import Values

NETWORK = "lstm"
VALIDATION = 0.1  # share of the known windows, the last ones, that a fit is stopped by


def can_forecast(rows: Rows, horizon: int) -> bool:
    """Whether the recipe is for these rows: one series without gaps, which is its own target."""
    return horizon > 0 and rows.table is not None and rows.table.targets is rows.values and len(rows.table.starts) == 1


def forecast(rows: Rows, horizon: int, cut: int, end: int, seed: int, steps: int) -> Values:
    """Forecasts for the rows from `cut` to `end`, (end - cut,), by a fit on the values known at the first of them.

    The fit is stopped on its last known windows and then repeated on all of them, for as many steps; after the
    recipe's steps or `steps`, whichever are fewer.
    """
    season = rows.table.season if rows.table else 1
    windows, fits = _compiled(tuple(rows.values.tolist()), season, horizon, steps)
    known_until = len(rows.values) - 1 - int(rows.last[cut])
    validated = max(round(VALIDATION * len(windows.last)), 1)
    before = known_until + windows.reach + validated - 1
    validation = windows.complete(known_until + windows.reach, before)[:, None]
    network = NETWORKS[NETWORK]
    fits.model(network, Stage(f"stop {cut} {seed}", windows.known(before), validation, seed))
    model = fits.model(network, Stage(f"fit {cut} {seed}", windows.known(known_until), seed=seed))
    asked = np.searchsorted(windows.last, rows.last[cut:end])
    return predict(model, windows.values[asked])[:, 0]


@cache
def _compiled(values: tuple[float, ...], season: int, horizon: int, steps: int) -> tuple[Windows, Fits]:
    """Windows of a series, and fits that are compiled once in a process for all of its origins and seeds."""
    known = len(values) * (1 - HELD_OUT)
    stretches = Stretches.of([np.array(values)])
    windows = make_windows(stretches, default_window(season, known, single=True), [horizon], season)
    sizes = sizes_for(TrainConfig(), len(windows.last))
    budget = replace(sizes.budget, steps=min(sizes.budget.steps, steps))
    return windows, Fits(windows, sizes._replace(budget=budget), 0, show_nothing)
