"""Rolling-origin evaluation: at each origin fit on the rows before it, and predict the rows up to the next."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from training.data.errors import SeriesError
from training.data.rows import Rows
from training.data.series import load_rows
from training.quiet import load_tensorflow
from training.report.config import HELD_OUT, Budget
from training.series_config import SeriesConfig
from training.values import Values

ORIGINS = 5


@dataclass(frozen=True)
class Source:
    """The series of a table, and the SHA-256 of its rows when the report began.

    options: the flags that say how the table is read, by the names of the fields of `SeriesConfig`.
    """

    data: str
    column: str | None
    target: str | None
    horizon: int
    window: int
    options: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def rows(self) -> Rows:
        """Read the rows. Raises SeriesError if the file is not a series, or has changed since the report began."""
        fields = asdict(self)
        expected, options = fields.pop("sha256"), fields.pop("options")
        rows = load_rows(SeriesConfig(**fields, **options))
        if expected not in ("", rows.sha256()):
            raise SeriesError(f"{self.data}: has changed since the report began; run it again")
        return rows


@dataclass(frozen=True)
class RollingRun:
    """All models at one origin: fitted on the rows before it, evaluated on the rows from `cut` to `end`."""

    source: Source
    cut: int
    end: int
    seed: int
    budget: Budget
    autoreg: bool = False

    def run(self) -> dict[str, Any]:
        """Predictions by model, the targets, and the seconds of training."""
        load_tensorflow()
        from training.report.combination import can_forecast, forecast
        from training.report.contenders import Split, fit_contenders

        rows = self.source.rows()
        split = Split(max(self.cut - max(self.source.horizon - 1, 0), 1), self.cut, self.end)
        outcomes = fit_contenders(rows, split, self.seed, self.budget)
        predictions = {name: o.predictions[self.cut : self.end].tolist() for name, o in outcomes.items()}
        if can_forecast(rows, self.source.horizon):
            answers = forecast(rows, self.source.horizon, self.cut, self.end, self.seed, self.budget.steps)
            predictions["combination"] = answers.tolist()
        if self.autoreg:
            predictions["autoreg"] = _autoreg(rows, split.known, self.cut, self.end).tolist()
        return {
            "predictions": predictions,
            "targets": rows.targets[self.cut : self.end].tolist(),
            "seconds": {name: o.seconds for name, o in outcomes.items()},
        }


def _autoreg(rows: Rows, known: int, cut: int, end: int) -> Values:
    """AutoReg of statsmodels with the window's lags, for rows at horizon 1: fitted on the series up to the origin."""
    from statsmodels.tsa.ar_model import AutoReg

    window = rows.windows.shape[1]
    fitted = AutoReg(np.concatenate([rows.windows[0], rows.targets[:known]]), lags=window, trend="c").fit()
    predictions: Values = fitted.params[0] + rows.windows[cut:end, ::-1] @ fitted.params[1:]
    return predictions


def rolling_runs(
    source: Source, edges: Sequence[int], seeds: Sequence[int], budget: Budget, *, autoreg: bool = False
) -> list[RollingRun]:
    """One run for each seed and block; edges: the first row of each block, and the end of the last one."""
    return [RollingRun(source, cut, end, seed, budget, autoreg) for cut, end in pairwise(edges) for seed in seeds]


def origins(rows: int) -> list[int]:
    """Edges of the ORIGINS blocks into which the last HELD_OUT of the rows is cut."""
    return [int(edge) for edge in np.linspace(rows * (1 - HELD_OUT), rows, ORIGINS + 1)]


class RollingResults:
    """Results of the runs of one series, joined over its origins."""

    def __init__(self, runs: Sequence[RollingRun], results: Sequence[dict[str, Any]]) -> None:
        self.horizon = runs[0].source.horizon
        self.cuts = sorted({run.cut for run in runs})
        self.seeds = sorted({run.seed for run in runs})
        self.contenders = list(results[0]["predictions"])
        origin = {(run.cut, run.seed): result for run, result in zip(runs, results, strict=True)}
        self.targets = np.concatenate([origin[cut, self.seeds[0]]["targets"] for cut in self.cuts])
        self.blocks = [len(origin[cut, self.seeds[0]]["targets"]) for cut in self.cuts]
        self._predictions = {
            name: np.array(
                [np.concatenate([origin[cut, seed]["predictions"][name] for cut in self.cuts]) for seed in self.seeds]
            )
            for name in self.contenders
        }

    def errors(self, name: str) -> Values:
        """Prediction - target, (seeds, rows)."""
        errors: Values = self._predictions[name] - self.targets
        return errors

    def losses(self, name: str) -> Values:
        """Squared errors, (rows,), averaged over the seeds."""
        losses: Values = np.mean(self.errors(name) ** 2, axis=0)
        return losses

    def rmse(self, name: str) -> Values:
        """RMSE over all rows, (seeds,)."""
        rmse: Values = np.sqrt(np.mean(self.errors(name) ** 2, axis=1))
        return rmse

    def rmse_by_origin(self, name: str) -> Values:
        """RMSE of each block, (origins,), over all seeds."""
        blocks = np.split(self.losses(name), np.cumsum(self.blocks)[:-1])
        return np.array([np.sqrt(block.mean()) for block in blocks])
