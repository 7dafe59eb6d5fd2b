"""Rolling origins: which windows at the end of each series are stopped by, calibrated on and judged on."""

from dataclasses import dataclass

from training.backtest.windows import Mask, Windows

# Scores and judged windows beyond these, over all series, make intervals and metrics no truer that anyone could tell.
ENOUGH = 400
LEAST_FIT = 1 / 3  # share of the windows that must be left to fit on
LEAST_CALIBRATION = 2  # calibration windows for each judged one


@dataclass(frozen=True)
class Spans:
    """Windows per series, counted from the end: the last `judged`, before them `calibration`, before them `validation`.

    Each of the three begins where all targets of the one before it are known: a fit that knows nothing after `fitted`
    values before the end has seen nothing of the validation windows, and so on. reach: rows from a window's last value
    to its last target.
    """

    judged: int
    calibration: int
    validation: int
    reach: int

    @property
    def before_judged(self) -> int:
        """Values of a series that come after the first judged window."""
        return self.reach + self.judged - 1 if self.judged else 0

    @property
    def before_calibration(self) -> int:
        """Values of a series that come after the first calibration window."""
        return self.before_judged + (self.reach + self.calibration - 1 if self.calibration else 0)

    @property
    def before_validation(self) -> int:
        """Values of a series that come after the first validation window."""
        return self.before_calibration + (self.reach + self.validation - 1 if self.validation else 0)

    def judged_rows(self, windows: Windows) -> Mask:
        return windows.complete(self.reach, self.before_judged)

    def calibration_rows(self, windows: Windows) -> Mask:
        return windows.complete(self.before_judged + self.reach, self.before_calibration)

    def validation_rows(self, windows: Windows) -> Mask:
        return windows.complete(self.before_calibration + self.reach, self.before_validation)


def plan(windows: Windows, judged: int | None) -> Spans:
    """Spans for these windows; judged: windows per series to judge on, or None for as many as leave enough to fit on.

    First as many as make ENOUGH over all series, then fewer, until a third of all windows is left to fit on. Where
    one of each kind is too many, there is no calibration, then no validation.
    """
    most = -(-ENOUGH // windows.stretches.count)
    for count in [judged] if judged else range(most, 0, -1):
        spans = Spans(count, LEAST_CALIBRATION * count, -(-count // 2), windows.reach)
        if _fit_share(windows, spans) >= LEAST_FIT:
            return spans
    count = judged or 1
    for spans in (Spans(count, 0, 1, windows.reach), Spans(count, 0, 0, windows.reach)):
        if _fit_share(windows, spans) >= LEAST_FIT:
            return spans
    return spans


def _fit_share(windows: Windows, spans: Spans) -> float:
    return float(windows.known(spans.before_validation).any(axis=1).mean())
