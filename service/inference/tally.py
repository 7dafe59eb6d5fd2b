"""Plain counters of a model: predictions, swaps, refused versions. `service/telemetry` exports them to Prometheus."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Tally:
    """Predictions of one version since it was loaded; thread-safe."""

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
    """Counts of one model: swaps of its live version, and refused versions by reason."""

    reloads: int = 0
    failed_loads: Counter[str] = field(default_factory=Counter)
