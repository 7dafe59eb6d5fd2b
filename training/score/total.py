"""Total errors of one version over several answers of /score."""

from collections import Counter
from math import sqrt
from typing import Any

FORECASTS = ("model", "persistence", "seasonal_naive")


class Total:
    """Sums of the errors of one version over several answers, weighted by their number of actual values."""

    def __init__(self) -> None:
        self.actuals = 0
        self._absolute: Counter[str] = Counter()
        self._squared: Counter[str] = Counter()
        self._scaled: float | None = 0.0
        self._covered: Counter[str] = Counter()

    def add(self, found: dict[str, Any]) -> None:
        """Add the errors of the version in one answer."""
        count = found["actuals"]
        self.actuals += count
        for name in FORECASTS:
            errors = found if name == "model" else found[name]
            if count and errors is not None:
                self._absolute[name] += errors["mae"] * count
                self._squared[name] += errors["rmse"] ** 2 * count
        for level, share in found["coverage"].items():
            self._covered[level] += (share or 0) * count
        if self._scaled is not None and count:
            self._scaled = None if found["mase"] is None else self._scaled + found["mase"] * count

    def mae(self, name: str = "model") -> float | None:
        """Mean absolute error of the model or of a baseline; None without one."""
        return self._absolute[name] / self.actuals if self.actuals and name in self._absolute else None

    @property
    def rmse(self) -> float | None:
        return sqrt(self._squared["model"] / self.actuals) if self.actuals else None

    @property
    def mase(self) -> float | None:
        return self._scaled / self.actuals if self.actuals and self._scaled is not None else None

    def coverage(self, level: str) -> float | None:
        """Share of the actual values inside the interval; None without intervals."""
        return self._covered[level] / self.actuals if self.actuals and level in self._covered else None
