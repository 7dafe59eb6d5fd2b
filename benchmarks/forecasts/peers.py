"""Standard methods from statsforecast, fitted to each series of a group."""

import time
import warnings
from typing import Any

import numpy as np

from benchmarks.forecasts.competitions import Group
from benchmarks.forecasts.scores import LEVELS, Scores, score

MEDIAN = "median of DOT, ETS, CES"
IN_MEDIAN = ("DynamicOptimizedTheta", "AutoETS", "AutoCES")


def standard_methods(group: Group) -> dict[str, Scores]:
    """Scores of two naive methods, two Theta methods, AutoETS, AutoCES, and the median of the last three."""
    from statsforecast import models

    season = group.season
    methods = {
        "Naive": models.Naive(),
        "SeasonalNaive": models.SeasonalNaive(season),
        "Theta": models.Theta(season),
        "DynamicOptimizedTheta": models.DynamicOptimizedTheta(season),
        "AutoETS": models.AutoETS(season),
        "AutoCES": models.AutoCES(season),
    }
    found, forecasts = {}, {}
    for name, method in methods.items():
        began = time.process_time()
        answers = [_forecast(method, values, group.steps) for values in group.series]
        seconds = time.process_time() - began
        forecasts[name] = np.array([answer["mean"] for answer in answers], np.float64)
        bounds = {
            level: (_ends(answers, f"lo-{level}"), _ends(answers, f"hi-{level}"))
            for level in LEVELS
            if all(f"lo-{level}" in answer for answer in answers)
        }
        found[name] = score(group, forecasts[name], bounds, seconds)
    median = np.median([forecasts[name] for name in IN_MEDIAN], axis=0)
    return found | {MEDIAN: score(group, median, {}, sum(found[name].seconds for name in IN_MEDIAN))}


def _forecast(method: Any, values: Any, steps: int) -> dict[str, Any]:
    """Forecast of a method, with intervals if it supports them; the naive forecast if the method fails on a series."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for levels in (list(LEVELS), None):
            try:
                answer: dict[str, Any] = method.forecast(y=values, h=steps, level=levels)
            except Exception:  # noqa: BLE001, S112 - each method refuses short series by an error of its own
                continue
            if np.isfinite(answer["mean"]).all():
                return answer
    return {"mean": np.repeat(values[-1], steps)}


def _ends(answers: list[dict[str, Any]], key: str) -> Any:
    return np.array([answer[key] for answer in answers], np.float64)
