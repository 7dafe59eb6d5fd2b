"""Series to rows: the article's series or a user's CSV, its windows and targets, and the split by time."""

import csv
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from training.config import SeriesConfig

if TYPE_CHECKING:
    import _csv

MIN_ROWS = 20
LARGEST = 1e18  # the square of a larger number is hardly a float32 any more, and the variance is made of squares

Values = NDArray[np.float64]


class SeriesError(Exception):
    """A series that cannot be trained on; the text names the file, the line and the column."""


@dataclass(frozen=True)
class Rows:
    """What one training run learns from, in time order.

    windows: (rows, window), oldest value first. targets: (rows,). persistence: (rows,), the target's last
    value that is known when the window ends.
    """

    windows: Values
    targets: Values
    persistence: Values

    def split(self, held_out: float, horizon: int) -> tuple[Self, Self]:
        """The rows to train on, and the last `held_out` share of them, as Keras' validation_split cuts.

        Between the two, the rows are left out whose targets are not known yet when the first held-out window ends.
        """
        count = len(self.targets)
        cut = min(max(int(count * (1 - held_out)), 1), count - 1)
        known = max(cut - max(horizon - 1, 0), 1)
        return self.take(slice(known)), self.take(slice(cut, None))

    def take(self, part: slice) -> Self:
        return type(self)(self.windows[part], self.targets[part], self.persistence[part])

    def sha256(self) -> str:
        content = self.windows.astype("<f8").tobytes() + self.targets.astype("<f8").tobytes()
        return hashlib.sha256(content).hexdigest()


def load_rows(config: SeriesConfig) -> Rows:
    """The rows of the series that `config` names. Raises SeriesError if they cannot be trained on."""
    if config.csv is None or config.column is None:
        series, target = article_series()
        return make_rows(series, target, config.window, horizon=0)
    columns = read_columns(config.csv, [config.column, config.target or config.column])
    rows = make_rows(columns[0], columns[1], config.window, config.resolved_horizon)
    if len(rows.targets) < MIN_ROWS:
        raise SeriesError(
            f"{config.csv}: column '{config.column}': {len(columns[0])} values make {len(rows.targets)} windows "
            f"of {config.window}; at least {MIN_ROWS} are needed"
        )
    return rows


def article_series() -> tuple[Values, Values]:
    """x_i = i for i = 0 … 103, and y_i = x_i + 0.5 x_(i-1) + 0.2 x_(i-2) + 0.1 x_(i-3).

    Source: "How to build LSTM neural networks in Keras", 2018.
    """
    series = np.arange(104.0)
    return series, np.convolve(series, [1, 0.5, 0.2, 0.1])[:104]


def make_rows(series: Values, target: Values, window: int, horizon: int) -> Rows:
    """Each window of `series` with the value of `target` `horizon` steps after the window's last."""
    # At horizon 0 the target at the window's end is what is asked for, so the one before it is the last one known.
    known = max(horizon, 1)
    last = np.arange(max(window - 1, known - horizon), len(series) - horizon)
    steps = np.arange(1 - window, 1)
    return Rows(series[last[:, None] + steps], target[last + horizon], target[last + horizon - known])


def read_columns(path: Path, names: list[str]) -> list[Values]:
    """The named columns of a CSV file with a header line, (values,) each. Raises SeriesError."""
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        indices = [_column_index(path, header, name) for name in names]
        rows = [
            [_number(path, reader.line_num, header[i], row, i) for i in indices]
            for row in _filled(path, reader, len(header))
        ]
    except csv.Error as error:
        raise SeriesError(f"{path}, line {reader.line_num}: is not CSV: {error}") from None
    return [np.array([row[k] for row in rows], np.float64) for k in range(len(names))]


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise SeriesError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SeriesError(f"{path}, line {line}: is not text in UTF-8") from None


def _column_index(path: Path, header: list[str], name: str) -> int:
    if header.count(name) == 1:
        return header.index(name)
    found = ", ".join(map(repr, header)) or "none"
    problem = "is there more than once" if name in header else "is missing"
    raise SeriesError(f"{path}, line 1: column {name!r} {problem}; the columns are {found}")


def _filled(path: Path, reader: "_csv.Reader", width: int) -> Iterator[list[str]]:
    """The rows up to the last filled line; a blank line before it is a gap in the series."""
    blank = 0
    for row in reader:
        if len(row) > width:
            raise SeriesError(f"{path}, line {reader.line_num}: has {len(row)} cells under {width} columns")
        if row and blank:
            raise SeriesError(f"{path}, line {blank}: is blank; a series has no gaps, fill it in or leave it out")
        if row:
            yield row
        else:
            blank = blank or reader.line_num


def _number(path: Path, line: int, column: str, row: list[str], index: int) -> float:
    where = f"{path}, line {line}, column {column!r}"
    text = row[index].strip() if index < len(row) else ""
    if not text:
        raise SeriesError(f"{where}: is empty; a series has no gaps, fill it in or leave the line out")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or "_" in text:  # Python reads 1_000 as a number, nobody else does
        raise SeriesError(f"{where}: {text[:40]!r} is not a number")
    if abs(value) > LARGEST:
        raise SeriesError(f"{where}: {text[:40]!r} is larger than {LARGEST:g}; scale the series down")
    return value
