"""A run with `--each`: plan, train in processes, publish each model as soon as it is there, tell what failed."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from artifact import read_key
from training.config import TrainConfig
from training.console import published_fit, show_count, show_reading
from training.data.errors import SeriesError, counted
from training.data.reading import read_table
from training.data.table import Table
from training.each.failures import Failure, table, write
from training.each.plan import Plan, make_plan, reason_of
from training.each.shown import Errors, errors_of, summary
from training.each.task import Outcome, SeriesTask, train_series
from training.inspect.shown import summary as describe
from training.processes import Where, run_in_processes
from training.publish import check_folder, publish_all

FAILURES_FILE = "failed-series.csv"


@dataclass
class Results:
    """What a run has come to."""

    published: list[Errors] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    worse: list[str] = field(default_factory=list)


def train_each(config: TrainConfig) -> Results:
    """Train and publish a model for each series and network. Raises SeriesError if the table cannot be read or two
    series have the same name, OSError if a model cannot be written, ClusterError if there is no cluster.
    """
    with show_reading(config.data):
        found = read_table(config)
    if found.read["roles"]["id"] is None:
        raise SeriesError(f"{found.name}: --each makes models for each series: name the column of their ids with --id")
    print(*describe(found), sep="\n", file=sys.stderr, flush=True)
    key = read_key(config.card_key_file)
    check_folder(config.models_dir)
    with show_count("series checked", len(found.ids)) as on_count:
        plan = make_plan(config, found, key, on_count)
    results = Results(failures=plan.failures)
    _say(plan)
    with show_count("series trained", len(plan.tasks)) as on_count:
        for done, (task, outcome) in enumerate(_outcomes(config, plan.tasks), 1):
            _keep(results, found, task, outcome, key)
            on_count(done)
    _finish(config, results)
    return results


def _outcomes(config: TrainConfig, tasks: list[SeriesTask]) -> Iterator[tuple[SeriesTask, Outcome]]:
    where = Where(config.backend, config.address, config.jobs)
    return ((tasks[k], outcome) for k, outcome in run_in_processes(train_series, tasks, where))


def _keep(results: Results, found: Table, task: SeriesTask, outcome: Outcome, key: bytes | None) -> None:
    results.published += map(errors_of, publish_all(task.config.models_dir, outcome.models, key))
    results.worse += outcome.worse
    if outcome.failure:
        reason = reason_of(outcome.failure, found)
        results.failures.append(Failure(task.series, str(task.config.name), reason))


def _say(plan: Plan) -> None:
    if plan.published:
        same = counted(plan.published, "series", "series")
        print(f"{same}: published already, from the same data and by the same options", file=sys.stderr, flush=True)


def _finish(config: TrainConfig, results: Results) -> None:
    for text in results.worse:
        print(f"training: {text}", file=sys.stderr)
    file = _failures_file(config)
    write(results.failures, file)
    if results.failures:
        print(table(results.failures, file), file=sys.stderr, flush=True)
    if results.published:
        where = f"--models-dir {config.models_dir}"
        print(f"{summary(results.published)}\n\n{published_fit(config.fitted_on)}")
        print(f"\npublished in {config.models_dir}: {counted(len(results.published), 'model')}")
        print(f"serve them:    python -m service {where}\nlist versions: python -m artifact list {where}", flush=True)


def _failures_file(config: TrainConfig) -> Path:
    """Where the series that failed are told: --failures, or a file in the model repository."""
    return config.failures or config.models_dir / FAILURES_FILE
