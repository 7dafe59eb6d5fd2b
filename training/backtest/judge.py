"""Errors of forecasts on windows that the fit has not seen, beside those of three baselines, by series and step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from artifact import Evaluation, Metrics
from training.backtest.linear import linear_forecasts
from training.backtest.scale import Scales, naive_scales
from training.backtest.windows import Integers, Mask, Windows
from training.evaluate import loses
from training.values import Values


def judge(forecasts: Values, windows: Windows, rows: Mask, still_to_come: int) -> Evaluation:
    """Evaluate forecasts, (judged, steps), for the `rows` of the windows, (rows,).

    still_to_come: values at the end of each series that neither the fit nor the baselines have seen. The baselines are
    rounded to float32, the precision that a model answers in, so that none wins by digits alone.
    """
    targets, series = windows.targets[rows], windows.series[rows]
    scales = naive_scales(windows, still_to_come)
    baselines = {
        "persistence": windows.naive(rows),
        "linear": linear_forecasts(windows, windows.known(still_to_come), rows),
        "seasonal_naive": windows.seasonal_naive(rows),
    }
    if windows.season == 1 or np.isnan(baselines["seasonal_naive"]).any():
        del baselines["seasonal_naive"]
    tables = {name: by_series(found.astype(np.float32), targets, series, scales) for name, found in baselines.items()}
    own = by_series(forecasts, targets, series, scales)
    metrics = {name: mean(found) for name, found in tables.items()}
    model = mean(own)
    resolution = float(np.finfo(np.float32).eps * np.abs(targets).max())
    found = Evaluation(
        held_out_rows=len(targets),
        model=model,
        loses_to=[],
        steps=[mean(by_series(forecasts[:, [k]], targets[:, [k]], series, scales)) for k in range(targets.shape[1])],
        series=len(own["mae"]),
        deviation=Metrics.model_validate({name: _number(np.std, values) for name, values in own.items()}),
        better_than_linear=float(np.mean(own["mae"] < tables["linear"]["mae"])),
        **metrics,
    )
    unit = 1.0 if found.criterion == "rmse" else float(np.nanmin(scales.squared))
    worse = [
        name
        for name, other in found.baselines.items()
        if loses(getattr(model, found.criterion), getattr(other, found.criterion), resolution / unit)
    ]
    return found.model_copy(update={"loses_to": worse})


def scorer(windows: Windows, rows: Mask, still_to_come: int) -> tuple[str, Callable[[Values], float]]:
    """Name and function of the one number by which versions are compared: MAE, or over several series mean MASE."""
    targets, series = windows.targets[rows], windows.series[rows]
    scales = naive_scales(windows, still_to_come)
    metric = "mae" if windows.stretches.count == 1 else "mase"
    return metric.upper(), lambda forecasts: float(np.nanmean(by_series(forecasts, targets, series, scales)[metric]))


def by_series(forecasts: Values, targets: Values, series: Integers, scales: Scales) -> dict[str, Values]:
    """Every metric of each series that has rows, (series,) each, NaN where it is undefined.

    forecasts, targets: (rows, steps). series: (rows,). sMAPE is 200 |f - y| / (|f| + |y|), and 0 where both are 0.
    """
    there, numbers = np.unique(series, return_inverse=True)
    counts = np.bincount(numbers) * targets.shape[1]
    errors = np.abs(forecasts - targets)
    largest = np.zeros(len(there))
    np.maximum.at(largest, numbers, errors.max(axis=1))
    sizes = np.abs(forecasts) + np.abs(targets)
    relative = np.divide(errors, sizes, out=np.zeros_like(errors, np.float64), where=sizes > 0)
    average = np.bincount(numbers, targets.sum(axis=1)) / counts
    squares = np.bincount(numbers, (errors**2).sum(axis=1))
    variation = np.bincount(numbers, ((targets - average[numbers, None]) ** 2).sum(axis=1))
    mae, rmse = np.bincount(numbers, errors.sum(axis=1)) / counts, np.sqrt(squares / counts)
    return {
        "mae": mae,
        "rmse": rmse,
        "max_abs_error": largest,
        "r2": 1 - squares / np.where(variation > 0, variation, np.nan),
        "mase": mae / scales.absolute[there],
        "smape": 200 * np.bincount(numbers, relative.sum(axis=1)) / counts,
        "rmsse": rmse / scales.squared[there],
    }


def mean(found: dict[str, Values]) -> Metrics:
    """The mean over the series of each metric."""
    return Metrics.model_validate({name: _number(np.mean, values) for name, values in found.items()})


def _number(summary: Callable[[Values], Any], values: Values) -> float | None:
    known = values[~np.isnan(values)]
    return float(summary(known)) if len(known) else None
