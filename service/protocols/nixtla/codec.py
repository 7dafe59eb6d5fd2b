"""Codec of Nixtla's API: request bytes of NixtlaClient to response bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from artifact import ModelCard
from service.inference.dates import check_frequency, read_frequency
from service.inference.errors import BadInput
from service.inference.lifecycle import Lifecycle
from service.inference.loader import LiveModel
from service.protocols.nixtla.rolling import Answered, Plan, detection, fitted, next_rows, run, windows_back
from service.protocols.nixtla.schemas import (
    REFUSALS,
    AnomalyTask,
    BacktestTask,
    ForecastTask,
    OnlineAnomalyTask,
    Task,
)

INTEGER_TIMES = "MS"  # the frequency that the client sends for integer times


def forecasts(lifecycle: Lifecycle, content: bytes, max_rows: int) -> bytes:
    """Forecast the next `h` values of every series. Raises NotJSON, BadInput, UnknownModel or NotReady."""
    task = ForecastTask.parse(content)
    model = _model(lifecycle, task, task.h)
    _check_history(model.card, task, 0)
    return _write(_forecast(_run(model, task, next_rows(task.series.sizes, task.h), task.level or [], max_rows)))


def backtest(lifecycle: Lifecycle, content: bytes, max_rows: int) -> bytes:
    """Cross-validation: forecasts of past rows. Raises NotJSON, BadInput, UnknownModel or NotReady."""
    task = BacktestTask.parse(content)
    if task.full_history:
        return _write(_past(_fitted(lifecycle, task, task.level or [], max_rows)))
    model, step_size = _model(lifecycle, task, task.h), task.step_size or task.h
    _check_history(model.card, task, task.h + step_size * (task.n_windows - 1))
    plan = windows_back(task.series.sizes, task.h, task.n_windows, step_size)
    return _write(_past(_run(model, task, plan, task.level or [], max_rows)))


def anomalies(lifecycle: Lifecycle, content: bytes, max_rows: int) -> bytes:
    """Anomaly detection in all rows that have a window before them: is the value outside its interval?

    Raises NotJSON, BadInput, UnknownModel or NotReady.
    """
    task = AnomalyTask.parse(content)
    return _write(_flagged(task, _fitted(lifecycle, task, [task.level], max_rows)))


def online_anomalies(lifecycle: Lifecycle, content: bytes, max_rows: int) -> bytes:
    """Anomaly detection in the last `detection_size` rows of every series: is the value outside its interval?

    Raises NotJSON, BadInput, UnknownModel or NotReady.
    """
    task = OnlineAnomalyTask.parse(content)
    model, step_size = _model(lifecycle, task, task.h), task.step_size or task.h
    if task.threshold_method != "univariate":
        raise BadInput(REFUSALS["threshold_method"])
    if step_size > task.h:
        raise BadInput(f"step_size: {step_size} is more than h, {task.h}; rows between two windows have no forecast")
    _check_history(model.card, task, task.detection_size)
    plan = detection(task.series.sizes, task.detection_size, step_size)
    return _write(_flagged(task, _run(model, task, plan, [task.level], max_rows)))


def parameters(model: LiveModel) -> bytes:
    """Window and steps of a model; the client uses them to send only the needed end of each series."""
    return orjson.dumps({"detail": {"input_size": model.card.window, "horizon": model.card.steps}})


def _model(lifecycle: Lifecycle, task: Task, h: int) -> LiveModel:
    """Find the model of a request. Raises BadInput if the model cannot serve the request."""
    task.check()
    model = lifecycle.live(task.model)
    card = model.card
    if card.horizon != 1:
        raise BadInput(
            f"{card.name} forecasts from {card.horizon} rows after its window on; this client needs the next"
        )
    if h > card.steps:
        raise BadInput(f"h: {card.name} forecasts {card.steps} values; {h} are beyond them")
    if task.freq != INTEGER_TIMES or task.series.start_datetime is not None:
        check_frequency(card, read_frequency(task.freq))
    return model


def _check_history(card: ModelCard, task: Task, back: int) -> None:
    """Raise BadInput if a series is shorter than the model's window plus `back` rows."""
    needed = card.window + back
    short = next((k for k, size in enumerate(task.series.sizes) if size < needed), None)
    if short is not None:
        raise BadInput(
            f"series {short} has {task.series.sizes[short]} values; {needed} are needed, the first {card.window} of "
            f"them as the window of {card.name}"
        )


def _fitted(lifecycle: Lifecycle, task: Task, levels: Sequence[float], max_rows: int) -> Answered:
    model = _model(lifecycle, task, 1)
    _check_history(model.card, task, 1)
    return _run(model, task, fitted(task.series.sizes, model.card.window), levels, max_rows)


def _run(model: LiveModel, task: Task, plan: Plan, levels: Sequence[float], max_rows: int) -> Answered:
    if len(plan.origins) > max_rows:
        raise BadInput(f"{len(plan.origins)} windows are asked for; {max_rows} are the most in one request")
    return run(model, task.series.values(), plan, levels)


def _forecast(answered: Answered) -> dict[str, Any]:
    intervals: dict[str, Any] = {}
    for level, (lower, upper) in answered.intervals.items():
        text = str(int(level)) if level == int(level) else str(level)
        intervals |= {f"lo-{text}": lower, f"hi-{text}": upper}
    return {
        "mean": answered.values,
        "intervals": intervals or None,
        "weights_x": None,
        "feature_contributions": None,
    }


def _past(answered: Answered) -> dict[str, Any]:
    return _forecast(answered) | {"sizes": answered.counts, "idxs": answered.rows}


def _flagged(task: AnomalyTask, answered: Answered) -> dict[str, Any]:
    """Add `anomaly` and `anomaly_score`: distance from the forecast in half widths of the interval; 1 is its bound."""
    actual = task.series.values()[answered.rows]
    lower, upper = answered.intervals[task.level]
    halves = (upper.astype(np.float64) - lower) / 2
    distances = np.abs(actual.astype(np.float64) - answered.values)
    scores = np.divide(distances, halves, out=np.zeros_like(halves), where=halves > 0)
    flags = (actual < lower) | (actual > upper)
    return _past(answered) | {"anomaly": flags, "anomaly_score": scores}


def _write(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
