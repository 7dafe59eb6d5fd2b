"""Networks of this project on a group: trained on all its series together, calibrated on their last windows."""

import time

import numpy as np

from artifact import Intervals
from benchmarks.forecasts.competitions import Group, Values
from benchmarks.forecasts.scores import LEVELS, Bounds, Scores, score
from training.backtest.calibrate import Judged, calibrate
from training.backtest.linear import linear_forecasts
from training.backtest.spans import plan
from training.backtest.windows import Stretches, Windows, make_windows
from training.combination.fit import Fits, Stage
from training.combination.run import predict
from training.combination.sizes import sizes_for
from training.combination.window import default_window
from training.config import TrainConfig
from training.networks.registry import NETWORKS

NAMES = {"pair": "pair (LSTM and MLP)", "lstm": "LSTM", "mlp": "MLP"}


def networks(group: Group, seed: int) -> dict[str, Scores]:
    """Scores of the LSTM, the MLP, both in one graph (the pair), and the linear baseline.

    CPU seconds of the pair include everything: scaling, compilation, all fits, calibration. Those of the LSTM and the
    MLP are for each of them alone.
    """
    began = time.process_time()
    window = default_window(group.season, float(np.median([len(values) for values in group.series])), single=False)
    windows = make_windows(Stretches.of(group.series), window, range(1, group.steps + 1), group.season)
    fits = Fits(windows, sizes_for(TrainConfig(), len(windows.last)), seed, lambda _: lambda _done, _loss: None)
    shared = time.process_time() - began
    inputs = last_windows(group, window)
    found = {}
    for name in ("lstm", "mlp", "pair"):
        start = time.process_time()
        forecasts, bounds = forecast(fits, name, windows, inputs)
        took = time.process_time() - (began if name == "pair" else start - shared)
        found[NAMES[name]] = score(group, forecasts, bounds, took)
    start = time.process_time()
    linear = linear_baseline(group, windows)
    return found | {"linear, least squares": score(group, linear, {}, time.process_time() - start)}


def forecast(fits: Fits, name: str, windows: Windows, inputs: Values) -> tuple[Values, Bounds]:
    """Forecasts and intervals for the last window of each series, by the stages of `python -m training`."""
    network, spans = NETWORKS[name], plan(windows, judged=0)
    validation = spans.validation_rows(windows)[:, None] & ~np.isnan(windows.targets)
    if validation.any():
        fits.model(network, Stage("stopping", windows.known(spans.before_validation), validation))
    calibrated = fits.model(network, Stage("intervals", windows.known(spans.before_calibration)))
    rows = spans.calibration_rows(windows)
    known = windows.values[rows]
    intervals = calibrate(Judged(known, predict(calibrated, known), windows.targets[rows]), windows.season)
    forecasts = predict(fits.model(network, Stage("publishing", windows.known(0))), inputs)
    return forecasts, bounds_of(intervals, inputs, forecasts)


def bounds_of(intervals: Intervals, inputs: Values, forecasts: Values) -> Bounds:
    """Interval bounds by level. inputs: (series, window), forecasts: (series, steps)."""
    lower, upper = intervals.bounds(
        intervals.ends(LEVELS), inputs.astype(np.float32), forecasts.astype(np.float32)
    ).astype(np.float64)
    return {level: (lower[place], upper[place]) for place, level in enumerate(LEVELS)}


def last_windows(group: Group, window: int) -> Values:
    """Last window of each series, (series, window); a series that is too short is padded with its first season."""
    return np.array([_padded(values, window, group.season)[-window:] for values in group.series])


def _padded(values: Values, window: int, season: int) -> Values:
    missing = max(window - len(values), 0)
    before = np.resize(values[: min(season, len(values))][::-1], missing)[::-1]
    return np.concatenate([before, values])


def linear_baseline(group: Group, windows: Windows) -> Values:
    """Forecasts of the linear baseline, (series, steps): least squares per step on the scaled windows of all series."""
    padded = [_padded(values, windows.window, group.season) for values in group.series]
    extended = [np.concatenate([values, np.zeros(group.steps)]) for values in padded]
    asked = make_windows(Stretches.of(extended), windows.window, range(1, group.steps + 1), group.season)
    rows = asked.complete(group.steps, group.steps)
    return linear_forecasts(asked, asked.known(group.steps), rows)
