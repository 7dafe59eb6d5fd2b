"""The windows of the combination recipe, from a table; without TensorFlow, so that bad data is refused at once."""

import hashlib
from typing import NamedTuple

import numpy as np

from training.backtest.spans import Spans, plan
from training.backtest.windows import Stretches, Windows, make_windows
from training.combination.window import default_window
from training.config import TrainConfig
from training.data.checks import MIN_ROWS, MIN_TRAINED, usable
from training.data.errors import SeriesError, counted, shown
from training.data.reading import read_table
from training.data.table import Table


class Prepared(NamedTuple):
    """A table, its windows, and which of them are fitted on, calibrated on and judged on."""

    table: Table
    windows: Windows
    spans: Spans

    def sha256(self) -> str:
        """Over the windows and targets as little-endian float64; targets beyond a series' end are NaN."""
        content = self.windows.values.astype("<f8").tobytes() + self.windows.targets.astype("<f8").tobytes()
        return hashlib.sha256(content).hexdigest()


def prepare(config: TrainConfig) -> Prepared:
    """Read the table that `config` names. Raises SeriesError if it cannot be trained on."""
    return prepare_table(config, read_table(config))


def prepare_table(config: TrainConfig, table: Table) -> Prepared:
    """The windows of a table. Raises SeriesError if it cannot be trained on."""
    season = config.season or table.season
    lengths = np.bincount(table.owners, table.lengths)[np.unique(table.owners)]
    window = config.window or default_window(season, float(np.median(lengths)), single=len(lengths) == 1)
    horizon = config.resolved_horizon
    table = usable(table, window, horizon)
    series = np.unique(table.owners, return_inverse=True)[1]
    ahead = range(horizon, horizon + config.steps)
    windows = make_windows(Stretches(table.values, table.starts, series), window, ahead, season)
    spans = plan(windows, _judged(config, windows))
    _check(table, windows, spans)
    return Prepared(table, windows, spans)


def _judged(config: TrainConfig, windows: Windows) -> int | None:
    """Windows per series to judge on: --backtest, or --held-out as a share of the median series' windows."""
    if config.backtest is not None or config.held_out is None:
        return config.backtest
    return max(round(config.held_out * float(np.median(np.bincount(windows.series)))), 1)


def _check(table: Table, windows: Windows, spans: Spans) -> None:
    where = f"{table.name}: column {shown(table.column)}: "
    rows = len(windows.last)
    made = f"{counted(len(table.values), 'value')} make {counted(rows, 'window')} of {windows.window}"
    if rows < MIN_ROWS:
        raise SeriesError(f"{where}{made}; at least {MIN_ROWS} are needed: give more rows or a smaller --window")
    if not spans.judged_rows(windows).any():
        raise SeriesError(
            f"{where}no series has a window of {windows.window} with {windows.reach} values after it; give longer "
            f"series, fewer --steps or a smaller --window"
        )
    fitted = int(windows.known(spans.before_validation).all(axis=1).sum())
    if fitted < MIN_TRAINED:
        raise SeriesError(
            f"{where}{made}, of which {fitted} are left to fit on before the {spans.judged} of each series that are "
            f"judged; at least {MIN_TRAINED} are needed: give more rows, fewer --steps, or a smaller --window or "
            "--backtest"
        )
