"""Results of the span experiment by case, and the comparisons of the LSTM with one other model each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.report.span import SERIES, TARGETS, SpanRun, window_of
from training.report.verdicts import LEVEL, Verdict, judge
from training.values import Values

TITLES = {"line": "straight line", "white": "white noise", "ar1": "AR(1) at 0.9"}
CONTENDERS = ("lstm", "tanh_mlp", "mlp", "mlp_last", "linear", "persistence", "mean")
Case = tuple[str, str, int]
Duel = tuple[str, str, str]
DUELS: list[Duel] = [
    (target, other, series)
    for target, other in (("noisy sum", "linear"), ("noisy sum", "tanh_mlp"), ("noisy product", "tanh_mlp"))
    for series in ("white", "ar1")
]


class SpanResults:
    """The results by case, (series, target, span), seeds in order."""

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
        """The LSTM's mean RMSE over the other's."""
        return float(self.of(case, "rmse", "lstm").mean() / self.of(case, "rmse", other).mean())

    def seconds(self, contender: str, window: int, key: str = "seconds") -> float:
        """The median over all runs with windows of this length."""
        pairs = zip(self.runs, self.results, strict=True)
        return float(np.median([result[key][contender] for run, result in pairs if window_of(run.span) == window]))


def duels_won(data: SpanResults) -> list[Duel]:
    """Those in which the LSTM is better over the longest span, and better than over the shortest.

    Where it is no better than the mean it has data nothing, and that the other errs more is no gain.
    """
    return [
        (target, other, series)
        for target, other, series in DUELS
        if (last := data.ratio((series, target, data.spans[-1]), other)) < 1 / LEVEL
        and data.ratio((series, target, data.spans[-1]), "mean") < 1 / LEVEL
        and last < data.ratio((series, target, data.spans[0]), other) / LEVEL
    ]
