"""The span experiment: targets that depend on the last k values, and the error of each model on them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.data.rows import Rows, make_rows
from training.quiet import load_tensorflow
from training.report.config import Budget, ReportConfig
from training.values import Values

SERIES = ("line", "white", "ar1")
TARGETS = ("sum", "noisy sum", "noisy product")
TRAINED = 800
HELD_OUT = 400
LEAST_WINDOW = 5  # the article's
NOISE = 0.1
AR1 = 0.9


@dataclass(frozen=True)
class SpanRun:
    """All models on one draw of one series with one target.

    The seed sets the series, the noise, the initial weights and the order of the rows.
    """

    series: str
    target: str
    span: int
    seed: int
    budget: Budget

    def run(self) -> dict[str, Any]:
        """RMSE of each model on the training rows and on the held-out rows, and of the noise on the held-out rows."""
        load_tensorflow()
        from training.report.contenders import Split, fit_contenders

        rows, floor = draw(self.series, self.target, self.span, self.seed)
        outcomes = fit_contenders(rows, Split(TRAINED, TRAINED, TRAINED + HELD_OUT), self.seed, self.budget)
        errors = {name: outcome.predictions - rows.targets for name, outcome in outcomes.items()}
        trained = rows.windows[:TRAINED]
        held_out = rows.windows[TRAINED:]
        return {
            "rmse": {name: _rms(error[TRAINED:]) for name, error in errors.items()},
            "trained_rmse": {name: _rms(error[:TRAINED]) for name, error in errors.items()},
            "seconds": {name: outcome.seconds for name, outcome in outcomes.items()},
            "compile_seconds": {name: outcome.compile_seconds for name, outcome in outcomes.items()},
            "floor": floor,
            "outside": float(np.mean((held_out.max(axis=1) > trained.max()) | (held_out.min(axis=1) < trained.min()))),
        }


def span_runs(config: ReportConfig) -> list[SpanRun]:
    """One run for each series, target, span and seed; long windows, which take longest, first."""
    return [
        SpanRun(series, target, span, seed, config.budget)
        for span in reversed(config.spans)
        for series in SERIES
        for target in TARGETS
        for seed in config.all_seeds
    ]


def window_of(span: int) -> int:
    """The window that holds all values that the target depends on; at least the article's."""
    return max(span, LEAST_WINDOW)


def draw(series: str, target: str, span: int, seed: int) -> tuple[Rows, float]:
    """Rows of one draw, training rows first, and the RMSE of the noise on the held-out rows.

    sum: sum of (1 - j/k) x_(t-j), j = 0 … k-1, which depends on all of the last k values. product: x_t times
    x_(t-k+1). Both are scaled to mean 0 and standard deviation 1 on the training rows before noise is added.
    """
    window = window_of(span)
    count = window - 1 + TRAINED + HELD_OUT
    random = np.random.default_rng([seed, span])
    values = _series(series, count, random)
    rows = make_rows(values, _target(target, values, span), window, horizon=0)
    mean, deviation = rows.targets[:TRAINED].mean(), rows.targets[:TRAINED].std()
    # Persistence predicts the target of the row before, with its noise.
    noise = random.normal(0, NOISE, count) if target.startswith("noisy") else np.zeros(count)
    noisy = (_target(target, values, span) - mean) / deviation + noise
    return make_rows(values, noisy, window, horizon=0), _rms(noise[-HELD_OUT:])


def _series(name: str, count: int, random: np.random.Generator) -> Values:
    if name == "line":
        return np.arange(float(count))
    values = random.normal(size=count)
    if name == "ar1":
        values[1:] *= np.sqrt(1 - AR1**2)  # so that its variance is 1 from the first value on
        for t in range(1, count):
            values[t] += AR1 * values[t - 1]
    return values


def _target(name: str, values: Values, span: int) -> Values:
    if name.endswith("product"):
        oldest = np.concatenate([values[:1].repeat(span - 1), values])[: len(values)]
        product: Values = values * oldest
        return product
    weighted: Values = np.convolve(values, 1 - np.arange(span) / span)[: len(values)]
    return weighted


def _rms(errors: Values) -> float:
    return float(np.sqrt(np.mean(errors**2)))
