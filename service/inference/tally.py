"""Plain counts of a model, without Prometheus: its answers, its swaps, its refused versions. Telemetry exports them."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Tally:
    """What one version of a model has answered since it was loaded; safe to use from any thread."""

    predictions: int = 0
    rows: int = 0
    extrapolated: int = 0
    sum: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, rows: int, extrapolated: int, total: float) -> None:
        """Count one answer: its rows, how many of them were extrapolated, and the sum of the predictions."""
        with self._lock:
            self.predictions += 1
            self.rows += rows
            self.extrapolated += extrapolated
            self.sum += total


@dataclass
class VersionCounts:
    """What happened to the versions of one model: swaps of the live one, and refusals by their reason."""

    reloads: int = 0
    failed_loads: Counter[str] = field(default_factory=Counter)
