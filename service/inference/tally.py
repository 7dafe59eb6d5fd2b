"""Plain counters of a model: predictions, errors on actual values, swaps, refused versions.

`service/telemetry` exports them to Prometheus.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple


class Errors(NamedTuple):
    """Sums of the absolute and of the squared errors of one kind of forecast."""

    absolute: float = 0.0
    squared: float = 0.0


@dataclass(frozen=True)
class Scores:
    """Sums over the actual values that one version was scored on; two of them are added with `+`.

    actuals: how many values. errors: by forecast, "model" or the name of a baseline. covered: by level in percent, how
    many actual values lay inside of the interval.
    """

    actuals: int = 0
    errors: Mapping[str, Errors] = field(default_factory=dict)
    covered: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: "Scores") -> "Scores":
        errors = dict(self.errors)
        for name, more in other.errors.items():
            have = errors.get(name, Errors())
            errors[name] = Errors(have.absolute + more.absolute, have.squared + more.squared)
        covered = {level: self.covered.get(level, 0) + other.covered.get(level, 0) for level in _levels(self, other)}
        return Scores(self.actuals + other.actuals, errors, covered)


def _levels(one: Scores, other: Scores) -> list[int]:
    return sorted({*one.covered, *other.covered})


class Counts(NamedTuple):
    """Requests answered with a forecast, rows, extrapolated rows, and the sum of the predictions; added with `+`."""

    predictions: int = 0
    rows: int = 0
    extrapolated: int = 0
    sum: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":  # type: ignore[override]  # of a tuple, which would be concatenated
        return Counts(
            self.predictions + other.predictions,
            self.rows + other.rows,
            self.extrapolated + other.extrapolated,
            self.sum + other.sum,
        )


@dataclass
class Tally:
    """Predictions of one version since it was loaded; thread-safe.

    Once it is dropped, it passes on what the requests that were in progress then still count.
    """

    predictions: int = 0
    rows: int = 0
    extrapolated: int = 0
    sum: float = 0.0
    scores: Scores = field(default_factory=Scores)
    _rest: "Tally | None" = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, rows: int, extrapolated: int, total: float, predictions: int = 1) -> None:
        """Count one answer, or several: rows, how many of them were extrapolated, and the sum of the predictions."""
        with self._lock:
            if self._rest is None:
                self.predictions += predictions
                self.rows += rows
                self.extrapolated += extrapolated
                self.sum += total
                return
        self._rest.add(rows, extrapolated, total, predictions)

    def move(self, rest: "Tally") -> None:
        """Add the counts to another tally; here they begin at 0 again."""
        predictions, rows, extrapolated, total = self._take()
        rest.add(rows, extrapolated, total, predictions)

    def drop(self, rest: "Tally") -> None:
        """Add the counts to another tally, now and from now on."""
        with self._lock:
            self._rest = rest
        self.move(rest)

    def counts(self) -> Counts:
        """The counts at this moment."""
        with self._lock:
            return Counts(self.predictions, self.rows, self.extrapolated, self.sum)

    def _take(self) -> Counts:
        with self._lock:
            taken = Counts(self.predictions, self.rows, self.extrapolated, self.sum)
            self.predictions, self.rows, self.extrapolated, self.sum = 0, 0, 0, 0.0
            return taken

    def add_scores(self, scores: Scores) -> None:
        """Count errors on actual values."""
        with self._lock:
            self.scores += scores


MOST_COUNTED = 100  # models with counts of their own; the counts of others are under OTHER
OTHER = "other"


def counted_as(counts: Mapping[str, object], name: str) -> str:
    """The name that an event of a model is counted under: its own for the first MOST_COUNTED models."""
    return name if name in counts or len(counts) < MOST_COUNTED else OTHER


@dataclass
class VersionCounts:
    """Counts of one model: swaps of its live version, and refused versions by reason."""

    reloads: int = 0
    failed_loads: Counter[str] = field(default_factory=Counter)
