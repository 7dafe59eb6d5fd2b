"""The rows of the series that a config names: the article's, or those of a table."""

from training.data.article import article_series
from training.data.checks import check_rows, usable
from training.data.reading import read_table
from training.data.rows import Rows, make_rows, table_rows
from training.data.table import Table
from training.series_config import SeriesConfig

DEFAULT_HELD_OUT = 0.05


def load_rows(config: SeriesConfig) -> Rows:
    """The rows of the series that `config` names. Raises SeriesError if they cannot be trained on."""
    if config.data is None:
        series, target = article_series()
        return make_rows(series, target, config.resolved_window, horizon=0)
    return load_table_rows(config, read_table(config))


def load_table_rows(config: SeriesConfig, table: Table) -> Rows:
    """The rows of a table. Raises SeriesError if they cannot be trained on."""
    horizon = config.resolved_horizon
    table = usable(table, config.resolved_window, horizon)
    rows = table_rows(table, config.resolved_window, horizon)
    check_rows(rows, getattr(config, "resolved_held_out", DEFAULT_HELD_OUT), horizon)
    return rows
