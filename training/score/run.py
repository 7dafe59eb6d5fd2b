"""Score a model on the newest values of a table: read it, send requests, print the errors by version."""

import sys
from collections.abc import Iterator
from typing import Any

from training.console import show_reading
from training.data.errors import SeriesError, counted
from training.data.reading import read_table
from training.score.client import Client, ServiceError
from training.score.config import ScoreConfig
from training.score.rows import ActualRows, Shape, actual_rows
from training.score.shown import table_of
from training.score.total import Total

NUMBERS_AT_ONCE = 100_000  # per request: some megabytes, below the default limits of a service


def score(config: ScoreConfig) -> None:
    """Send the values and print the errors. Raises SeriesError for the table, ServiceError for the service."""
    client = Client(config.url, _key(config))
    card = client.card(config.model)
    shape = Shape(card["window"], card["steps"], card["horizon"])
    rows = _read(config, card, shape)
    key = f"{card['input']['name']}s"
    is_single = card["input"]["shape"][1:] == [1]  # one value is sent as a number, not as a list
    totals: dict[int, Total] = {}
    answer: dict[str, Any] = {}
    for sent, part in enumerate(_parts(rows)):
        windows = part.windows[:, 0] if is_single else part.windows
        try:
            answer = client.score(config.model, key, windows, part.actuals)
        except ServiceError as error:
            raise ServiceError(f"{error} (parts that were sent before, and are counted: {sent})") from None
        for found in answer["scores"]:
            totals.setdefault(found["version"], Total()).add(found)
    sys.stdout.write(table_of(config.model, answer, totals))


def _key(config: ScoreConfig) -> str | None:
    return config.api_key_file.read_text().strip() if config.api_key_file is not None else None


def _read(config: ScoreConfig, card: dict[str, Any], shape: Shape) -> ActualRows:
    """The rows of the table, with the columns of the card unless a flag names others."""
    data = card["data"]
    chosen = {"column": config.column or data["column"], "target": config.target or data["target"]}
    with show_reading(config.data):
        table = read_table(config.model_copy(update=chosen))
    rows = actual_rows(table, shape, config.last)
    if not len(rows.windows):
        need = shape.window + max(shape.horizon, 1)
        raise SeriesError(f"{table.name}: no series has the {counted(need, 'value')} that a window and a step need")
    return rows


def _parts(rows: ActualRows) -> Iterator[ActualRows]:
    step = max(1, NUMBERS_AT_ONCE // (rows.windows.shape[1] + rows.actuals.shape[1]))
    for first in range(0, len(rows.windows), step):
        yield ActualRows(rows.windows[first : first + step], rows.actuals[first : first + step])
