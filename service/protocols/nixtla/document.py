"""OpenAPI of Nixtla's API: request bodies with examples."""

from collections.abc import Sequence
from typing import Any

from artifact import ModelCard
from service.inference.loader import LiveModel
from service.protocols.examples import set_body
from service.protocols.nixtla.schemas import AnomalyTask, BacktestTask, ForecastTask, OnlineAnomalyTask


def document(openapi: dict[str, Any], models: Sequence[LiveModel]) -> None:
    """Add the request bodies of the four forecasting routes."""
    fitting = [model for model in models if model.card.horizon == 1]
    set_body(openapi, "/v2/forecast", ForecastTask, fitting, _forecast)
    set_body(openapi, "/v2/cross_validation", BacktestTask, fitting, _backtest)
    set_body(openapi, "/v2/anomaly_detection", AnomalyTask, fitting, _anomalies)
    set_body(openapi, "/v2/online_anomaly_detection", OnlineAnomalyTask, fitting, _online_anomalies)


def _forecast(card: ModelCard) -> dict[str, Any]:
    level = None if card.intervals is None else [80]
    return _task(card, 1) | {"h": card.steps, "level": level}


def _backtest(card: ModelCard) -> dict[str, Any]:
    return _task(card, 2) | {"h": min(card.steps, card.window), "n_windows": 1}


def _anomalies(card: ModelCard) -> dict[str, Any]:
    return _task(card, 2) | {"level": 80}


def _online_anomalies(card: ModelCard) -> dict[str, Any]:
    return _task(card, 2) | {"h": 1, "detection_size": 1, "level": 80}


def _task(card: ModelCard, windows: int) -> dict[str, Any]:
    """A request with one series: the first `windows` golden windows, concatenated."""
    values = [value for sample in (card.golden * windows)[:windows] for value in sample.window]
    series = {"y": values, "sizes": [len(values)]}
    return {"series": series, "model": card.name, "freq": card.data.frequency or "D"}
