"""`TrainConfig`: the command line of a training run, every option with its default."""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import CliToggleFlag

from artifact import NAME_PATTERN
from training.cluster import Backend
from training.networks.registry import NETWORKS
from training.series_config import SeriesConfig

EACH_FIELDS = ("backend", "address", "jobs", "failures")
COMBINATION_FIELDS = ("steps", "season", "units", "backtest")
ARTICLE_STEPS = 20  # of an epoch on the article's 100 rows, 5 at a time
# On the article's 100 rows: the cosine of the scaled recipe has settled by then; 2000 is the article's own number.
DEFAULT_EPOCHS = {"scaled": 4000, "article": 2000}
DEFAULT_HELD_OUT = 0.05
DEFAULT_BATCH_SIZE = 5
DEFAULT_LEARNING_RATE = 0.01
Recipe = Literal["combination", "scaled", "article"]


def _card_key_file() -> Path | None:
    file = os.environ.get("LAGCAST_CARD_KEY_FILE")
    return Path(file) if file else None


class TrainConfig(SeriesConfig):
    """Train networks on one lagged series and publish them to the model repository.

    The series are those of a table (--data), or the article's.
    `python -m training report` compares networks instead: see `report --help`;
    `python -m training inspect` says what a table holds: see `inspect --help`;
    `python -m training score` sends newer values to a service: `score --help`.
    """

    networks: tuple[str, ...] = Field(("lstm", "mlp"), description=f"networks to train, of {', '.join(NETWORKS)}")
    name: str | None = Field(
        None, description="publish as NAME-lstm, NAME-mlp and so on; unset: as lstm, mlp and so on"
    )
    recipe: Recipe | None = Field(
        None,
        description="combination: the networks weigh forecasts of standard methods, each window scaled by itself; "
        "scaled: scaling by the training rows; article: no scaling, constant learning rates, fitted without the "
        "held-out rows; unset: combination with --data and without --target, else scaled",
    )
    steps: int = Field(1, ge=1, le=1000, description="values ahead that a forecast has; over 1 by combination alone")
    season: int | None = Field(
        None, ge=1, le=1000, description="rows in a season, 1 for none; unset: from the frequency; for combination"
    )
    units: int | None = Field(
        None, ge=1, le=1024, description="units of the hidden layers; unset: 8, 16 or 32 by rows; for combination"
    )
    backtest: int | None = Field(
        None,
        ge=1,
        description="windows at the end of each series that the model is judged on; unset: as many as leave a third of "
        "all windows to fit on, at most 400 over all series; for combination",
    )
    held_out: float | None = Field(
        None, gt=0, lt=1, description="share of the rows, at the end, to evaluate on; unset: 0.05, or as --backtest"
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="passes over the rows; unset: 4000, 2000 for article, for combination as many as make 2000 steps, "
        "which is the most there",
    )
    batch_size: int | None = Field(
        None, ge=1, description="rows in a training step; unset: 5, or 16 to 128 by rows for combination"
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="learning rate at the start of the cosine; unset: 0.01, or 0.003 for combination; the article "
        "recipe has its own",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of the first weights and of the order of the rows")
    valid_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        exclude=True,
        description="days until the version is due to be replaced, for the card and the alert; unset: no limit",
    )
    publish_if: Literal["always", "better"] = Field(
        "always",
        exclude=True,
        description="better: only if the error on the held-out windows is lower than the live version's",
    )
    change_signature: CliToggleFlag[bool] = Field(
        default=False,
        exclude=True,
        description="publish although window, steps, horizon, target or unit are not those of the live version",
    )
    each: CliToggleFlag[bool] = Field(
        default=False,
        exclude=True,
        description="a model for each series of the table, published as ID-lstm, ID-mlp and so on, or NAME-ID-lstm; "
        "the same command goes on where an interrupted one was",
    )
    backend: Backend = Field(
        "loky",
        exclude=True,
        description="where the series are trained, for --each: loky, processes of this machine; dask or ray, a cluster",
    )
    address: str | None = Field(
        None,
        min_length=1,
        exclude=True,
        description="of the cluster: tcp://HOST:8786 for dask; HOST:6379 for ray, unset: RAY_ADDRESS, or this machine",
    )
    jobs: int | None = Field(
        None, ge=1, exclude=True, description="processes of this machine, for --each; unset: one for each core"
    )
    failures: Path | None = Field(
        None,
        exclude=True,
        description="CSV file for the series that failed, for --each; unset: failed-series.csv in --models-dir",
    )
    models_dir: Path = Field(Path("models"), exclude=True, description="the model repository to publish to")
    card_key_file: Path | None = Field(
        default_factory=_card_key_file,
        exclude=True,
        description="file with the key that signs cards; unset: LAGCAST_CARD_KEY_FILE, if that is set",
    )

    @classmethod
    def examples(cls) -> str:
        return """\
examples:
  python -m training
  python -m training --data sales.csv --column units --name sales
  python -m training --data shops.csv --id shop --steps 12 --networks pair
  python -m training --data shops.csv --id shop --each
  python -m training --networks lstm,gru,linear --epochs 500 --held-out 0.2
  python -m training report --data sales.csv --column units"""

    @field_validator("networks")
    @classmethod
    def _check_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            if network not in NETWORKS:
                raise ValueError(f"{network!r} is not a network; the networks are {', '.join(NETWORKS)}")
        if not networks or len(set(networks)) < len(networks):
            raise ValueError("name one network or more, each once")
        return networks

    @model_validator(mode="after")
    def _check_each(self) -> Self:
        if self.each and self.data is None:
            raise ValueError("--each needs --data, a table of many series")
        given = [name for name in EACH_FIELDS if name in self.model_fields_set]
        if given and not self.each:
            raise ValueError(f"{', '.join(f'--{name}' for name in given)}: only with --each")
        if self.jobs and self.backend != "loky":
            raise ValueError(f"--jobs: the processes of --backend {self.backend} are those of the cluster")
        if self.address and self.backend == "loky":
            raise ValueError("--address: only with --backend dask or ray")
        if self.backend == "dask" and not self.address:
            raise ValueError("--backend dask needs the --address of the scheduler, as tcp://HOST:8786")
        return self

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        for network in self.networks:
            if not re.fullmatch(NAME_PATTERN, self.model_name(network)):
                raise ValueError(
                    f"--name {self.name!r}: a model's name has small letters, digits, '.', '_' and '-', begins with a "
                    "letter or a digit, and has at most 128 of them"
                )
        return self

    def model_name(self, network: str) -> str:
        """The name that `network` is published by: `sales-lstm` with `--name sales`, else `lstm`."""
        return network if self.name is None else f"{self.name}-{network}"

    def for_rows(self, rows: int) -> Self:
        """The config with its epochs and batch size as they are on so many rows; not for combination.

        Unset epochs are a budget of steps: as many as the recipe's default takes on the article's 100 rows, but no
        more epochs than that, and one at least. A batch has no more rows than there are.
        """
        batch_size = min(self.resolved_batch_size, rows)
        default = DEFAULT_EPOCHS[self.resolved_recipe]
        budget = default * ARTICLE_STEPS
        epochs = self.epochs or max(min(default, budget // -(-rows // batch_size)), 1)
        return self.model_copy(update={"batch_size": batch_size, "epochs": epochs})

    @model_validator(mode="after")
    def _check_recipe(self) -> Self:
        recipe, data = self.resolved_recipe, self.data is not None
        if recipe == "combination" and not (data and self.target in (None, self.column)):
            raise ValueError("--recipe combination forecasts the series itself: it needs --data, and no other --target")
        given = {name for name in COMBINATION_FIELDS if name in self.model_fields_set}
        if recipe != "combination" and given:
            flags = ", ".join(f"--{name}" for name in sorted(given))
            raise ValueError(f"{flags}: only by --recipe combination, which needs --data and no other --target")
        if recipe == "combination" and self.window == 1:
            raise ValueError(
                "--window 1: the combination recipe scales each window by itself, which takes 2 values or more; "
                "--recipe scaled has windows of one"
            )
        if self.backtest is not None and self.held_out is not None:
            raise ValueError("give --backtest, windows of each series, or --held-out, a share of the rows, not both")
        for name in self.networks:
            if NETWORKS[name].combination_only and recipe != "combination":
                raise ValueError(f"--networks {name} needs --recipe combination, and so --data")
            if not NETWORKS[name].hidden and recipe == "combination":
                raise ValueError(f"--networks {name}: the combination recipe does not know it; give --recipe scaled")
        return self

    @property
    def resolved_recipe(self) -> Recipe:
        own = self.data is not None and self.target in (None, self.column)
        return self.recipe or ("combination" if own else "scaled")

    @property
    def fitted_on(self) -> Literal["all rows", "rows before the held-out ones"]:
        """What the published weights have seen; the errors are those of fits without the held-out rows."""
        return "rows before the held-out ones" if self.resolved_recipe == "article" else "all rows"

    @property
    def resolved_held_out(self) -> float:
        return self.held_out or DEFAULT_HELD_OUT

    @property
    def resolved_batch_size(self) -> int:
        return self.batch_size or DEFAULT_BATCH_SIZE

    @property
    def resolved_learning_rate(self) -> float:
        return self.learning_rate or DEFAULT_LEARNING_RATE

    @property
    def resolved_epochs(self) -> int:
        return self.epochs or DEFAULT_EPOCHS[self.resolved_recipe]

    def on_card(self, **resolved: float) -> dict[str, Any]:
        """The config for a card, with what was `resolved` by rule: no path but the table's file name, since cards are
        shown to clients.
        """
        if self.resolved_recipe != "combination":
            resolved |= {
                "epochs": self.resolved_epochs,
                "window": self.resolved_window,
                "held_out": self.resolved_held_out,
                "batch_size": self.resolved_batch_size,
                "learning_rate": self.resolved_learning_rate,
            }
        return self.model_dump(mode="json") | {
            "data": self.data and self.data.name,
            "recipe": self.resolved_recipe,
            **resolved,
        }
