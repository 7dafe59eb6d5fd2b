"""Results of the span experiment by case, and pairwise comparisons of the LSTM with other models."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.report.span import SERIES, TARGETS, SpanRun, window_of
from training.report.verdicts import LEVEL, Verdict, judge
from training.values import Values

TITLES = {"line": "straight line", "white": "white noise", "ar1": "AR(1) at 0.9"}
CONTENDERS = ("lstm", "tanh_mlp", "mlp", "mlp_last", "linear", "persistence", "mean")
Case = tuple[str, str, int]
Comparison = tuple[str, str, str]
COMPARISONS: list[Comparison] = [
    (target, other, series)
    for target, other in (("noisy sum", "linear"), ("noisy sum", "tanh_mlp"), ("noisy product", "tanh_mlp"))
    for series in ("white", "ar1")
]


class SpanResults:
    """Results by case, (series, target, span), in the order of the seeds."""

    def __init__(self, runs: Sequence[SpanRun], results: Sequence[dict[str, Any]]) -> None:
        self.runs, self.results = runs, results
        self.spans = sorted({run.span for run in runs})
        self.seeds = sorted({run.seed for run in runs})
        self._by_case: dict[Case, list[dict[str, Any]]] = {}
        for run, result in zip(runs, results, strict=True):
            self._by_case.setdefault((run.series, run.target, run.span), []).append(result)
        self.cases = [(series, target, span) for target in TARGETS for series in SERIES for span in self.spans]
        self.verdicts = {case: self._judge(case) for case in self.cases}

    def of(self, case: Case, key: str, contender: str) -> Values:
        """(seeds,)."""
        return np.array([result[key][contender] for result in self._by_case[case]])

    def plain(self, case: Case, key: str) -> Values:
        return np.array([result[key] for result in self._by_case[case]])

    def _judge(self, case: Case) -> Verdict:
        rmse, trained = ({name: self.of(case, key, name) for name in CONTENDERS} for key in ("rmse", "trained_rmse"))
        return judge(rmse, trained, float(self.plain(case, "outside").mean()))

    def ratio(self, case: Case, other: str) -> float:
        """Mean RMSE of the LSTM, divided by that of another model."""
        return float(self.of(case, "rmse", "lstm").mean() / self.of(case, "rmse", other).mean())

    def seconds(self, contender: str, window: int, key: str = "seconds") -> float:
        """Median training time over all runs with windows of this length."""
        pairs = zip(self.runs, self.results, strict=True)
        return float(np.median([result[key][contender] for run, result in pairs if window_of(run.span) == window]))


def comparisons_won(data: SpanResults) -> list[Comparison]:
    """Comparisons in which the LSTM is better at the longest span, and by more than at the shortest.

    An LSTM that is no better than the mean has learnt nothing: a comparison is not won by the error of the other alone.
    """
    return [
        (target, other, series)
        for target, other, series in COMPARISONS
        if (last := data.ratio((series, target, data.spans[-1]), other)) < 1 / LEVEL
        and data.ratio((series, target, data.spans[-1]), "mean") < 1 / LEVEL
        and last < data.ratio((series, target, data.spans[0]), other) / LEVEL
    ]
