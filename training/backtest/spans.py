"""Rolling origins: which windows at the end of each series are stopped by, calibrated on and judged on."""

from dataclasses import dataclass

import numpy as np

from training.backtest.windows import Mask, Windows

# Scores and judged windows beyond these, over all series, make intervals and metrics no truer that anyone could tell.
ENOUGH = 400
LEAST_FIT, ENOUGH_FIT = 1 / 3, 500  # share of the windows that must be left to fit on, and windows that are enough
LEAST_CALIBRATION = 2  # calibration windows for each judged one
SCORES_FOR_95 = 19
# Windows of several series of which no fit is stopped early: on M1 and Tourism the last windows before the calibration,
# which share their dates, found numbers of steps that were never better than the whole budget, and for some groups much
# worse.
MANY = 2000


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

    First as many as make ENOUGH over all series, then fewer. Each has several calibration windows. Where they are still
    too many, there is no validation, then no calibration.
    """
    most = -(-ENOUGH // windows.stretches.count)
    counts = range(most, 0, -1) if judged is None else [judged]
    for count in counts:
        for calibration in _calibrations(count, windows):
            spans = Spans(count, calibration, _validation(count, windows), windows.reach)
            if _leaves_enough(spans, windows):
                return spans
    return _without_validation(counts[-1], windows)


def _validation(judged: int, windows: Windows) -> int:
    return 0 if windows.stretches.count > 1 and len(windows.after) >= MANY else max(-(-judged // 2), 1)


def _calibrations(judged: int, windows: Windows) -> range:
    """Numbers of calibration windows per series to try: from the longer of a season and the reach downwards.

    The errors of many series at one date have a cause in common, such as a crisis or the place in the season. Windows
    that end at one date only would give every step the errors of one date.
    """
    least = max(LEAST_CALIBRATION * judged, 1)
    return range(max(least, windows.season, windows.reach), least - 1, -1)


def _without_validation(judged: int, windows: Windows) -> Spans:
    """With calibration if it makes scores for a level of 95 %, else with one validation window, else with neither."""
    for calibration in _calibrations(judged, windows):
        spans = Spans(judged, calibration, 0, windows.reach)
        if _leaves_enough(spans, windows) and spans.calibration_rows(windows).sum() >= SCORES_FOR_95:
            return spans
    spans = Spans(judged, 0, 1, windows.reach)
    return spans if _leaves_enough(spans, windows) else Spans(judged, 0, 0, windows.reach)


def _leaves_enough(spans: Spans, windows: Windows) -> bool:
    left = np.count_nonzero(windows.after >= spans.before_validation + windows.ahead[0])
    return bool(left >= min(LEAST_FIT * len(windows.after), ENOUGH_FIT))
