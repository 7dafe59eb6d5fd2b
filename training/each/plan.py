"""What a run with `--each` has to do: a task for each series, without those that fail or are published already."""

from collections.abc import Callable
from dataclasses import dataclass, field

from artifact import ArtifactError
from training.config import TrainConfig
from training.data.errors import SeriesError, shown
from training.data.table import Table
from training.each.failures import Failure
from training.each.names import safe_names
from training.each.published import missing
from training.each.split import tables_of
from training.each.task import SeriesTask, prepared_for
from training.signature import live_versions


@dataclass
class Plan:
    """tasks: what is to be trained. failures: what cannot be. published: series whose models are all there already."""

    tasks: list[SeriesTask] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    published: int = 0


def make_plan(config: TrainConfig, table: Table, key: bytes | None, on_count: Callable[[int], None]) -> Plan:
    """Check every series of the table; on_count is told how many are done. Raises SeriesError for two equal names."""
    names = safe_names(table.ids, config.name)
    plan = Plan()
    for done, one in enumerate(tables_of(table), 1):
        name = names[one.ids[0]]
        try:
            _add(plan, config.model_copy(update={"name": name}), one, key)
        except (SeriesError, ArtifactError) as error:
            plan.failures.append(Failure(one.ids[0], name, reason_of(str(error), table)))
        on_count(done)
    return plan


def _add(plan: Plan, config: TrainConfig, table: Table, key: bytes | None) -> None:
    config, prepared = prepared_for(config, table)
    if not (networks := missing(config, prepared, key)):
        plan.published += 1
        return
    config = config.model_copy(update={"networks": networks})
    served = live_versions(config, prepared, key)
    plan.tasks.append(SeriesTask(config, table, served if config.publish_if == "better" else {}))


def reason_of(message: str, table: Table) -> str:
    """The message of an error without the file and the column, which are those of every series."""
    where = f"{table.name}: column {shown(table.column)}"
    return message.removeprefix(where).removeprefix(":").strip()
