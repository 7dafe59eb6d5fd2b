"""The training of one series, in a process of its own or on a cluster."""

from dataclasses import dataclass, field

from artifact import Artifact, ArtifactError, CardDraft
from training.combination.prepare import Prepared, prepare_table
from training.config import TrainConfig
from training.data.errors import SeriesError
from training.data.rows import Rows
from training.data.series import load_table_rows
from training.data.table import Table
from training.quiet import load_tensorflow


@dataclass(frozen=True)
class SeriesTask:
    """One series to train on. table: of this series alone.

    served: with `--publish-if better`, the live version of each model that has one, by the model's name.
    """

    config: TrainConfig
    table: Table
    served: dict[str, Artifact] = field(default_factory=dict)

    @property
    def series(self) -> str:
        """The series' id."""
        return self.table.ids[0]


@dataclass(frozen=True)
class Draft:
    """A trained model, ready to be published."""

    draft: CardDraft
    files: dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What became of a task: models to publish, those that are worse than the live version, and why it failed."""

    models: list[Draft] = field(default_factory=list)
    worse: list[str] = field(default_factory=list)
    failure: str = ""


def prepared_for(config: TrainConfig, table: Table) -> tuple[TrainConfig, Prepared | Rows]:
    """Windows of a series by the recipe, and the config for as many. Raises SeriesError if it cannot be trained on."""
    if config.resolved_recipe == "combination":
        return config, prepare_table(config, table)
    rows = load_table_rows(config, table)
    return config.for_rows(len(rows.targets)), rows


def train_series(task: SeriesTask) -> Outcome:
    """Train the networks on one series. An error of any kind is this series' failure alone."""
    load_tensorflow()
    try:
        return _train(task)
    except (SeriesError, ArtifactError) as error:
        return Outcome(failure=str(error))
    except Exception as error:  # noqa: BLE001 - the other series must not fail with it; the reason is told at the end
        return Outcome(failure=f"{type(error).__name__}: {error}")


def _train(task: SeriesTask) -> Outcome:
    from training.compare import compare
    from training.stages import train_quietly

    config, prepared = prepared_for(task.config, task.table)
    models, worse = [], []
    for model in train_quietly(config, prepared):
        draft = model.draft.model_copy(update={"data": model.draft.data.model_copy(update={"series": task.series})})
        live = task.served.get(draft.name)
        found = live and compare(model, live)
        if found:
            worse.append(str(found))
        else:
            models.append(Draft(draft, model.files))
    return Outcome(models, worse)
