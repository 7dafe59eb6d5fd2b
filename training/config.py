"""`TrainConfig`: the command line of a training run, every option with its default."""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, CliToggleFlag, PydanticBaseSettingsSource, SettingsConfigDict

from artifact import NAME_PATTERN
from training.networks.registry import NETWORKS

STANDARD_INPUT = Path("-")
TABLE_FIELDS_IN_ORDER = (
    *("column", "target", "time", "id", "horizon", "gaps", "duplicates", "decimal", "time_format", "time_zone"),
    *("frequency", "delimiter", "encoding", "header_line", "no_header", "units_line", "sheet"),
)
TABLE_FIELDS = frozenset(TABLE_FIELDS_IN_ORDER)
# On the article's 100 rows: the cosine of the scaled recipe has settled by then; 2000 is the article's own number.
ARTICLE_STEPS = 20  # of an epoch on the article's 100 rows, 5 at a time
DEFAULT_EPOCHS = {"scaled": 4000, "article": 2000}


def _card_key_file() -> Path | None:
    file = os.environ.get("LAGCAST_CARD_KEY_FILE")
    return Path(file) if file else None


class SeriesConfig(BaseSettings):
    """The options that choose the series: the article's or those of a table. Immutable."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_prog_name="python -m training",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    data: Path | None = Field(
        None,
        validation_alias=AliasChoices("data", "csv"),
        description="the table with the series: CSV, Parquet, Arrow, Excel or JSON lines, also in .gz, .zst or .zip; "
        "- is standard input",
    )
    column: str | None = Field(None, min_length=1, description="the column of values; unset: the only one of numbers")
    target: str | None = Field(None, min_length=1, description="the column to predict; unset: the values themselves")
    time: str | None = Field(
        None, min_length=1, description="the column of times; unset: the only one of dates; none: rows are in order"
    )
    id: str | None = Field(
        None, min_length=1, description="the column that names the series; unset: unique_id, item_id or series_id"
    )
    horizon: int | None = Field(
        None, ge=0, description="rows from the window's last value to the target; unset: 1, or 0 with --target"
    )
    window: int = Field(
        5, ge=1, le=100, description="values that a network on the window sees; `mlp` sees the last of them"
    )
    gaps: Literal["interpolate", "previous", "zero", "split"] | None = Field(
        None, description="missing times and values: fill them, or let no window reach over them; unset: an error"
    )
    duplicates: Literal["last", "mean", "sum"] | None = Field(
        None, description="rows of one series and time: which value counts; unset: an error"
    )
    decimal: Literal[".", ","] | None = Field(None, description="the decimal sign of numbers; unset: as the data say")
    time_format: str | None = Field(
        None,
        min_length=1,
        description="day-first, month-first, excel, unix, unix-ms, unix-us, steps, or a pattern as %d.%m.%Y",
    )
    time_zone: str | None = Field(None, min_length=1, description="the zone of local times, as Europe/Berlin")
    frequency: str | None = Field(
        None, min_length=1, description="as 15min, h, D, B, W, MS, ME, QS, YS; none: rows are just in order"
    )
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="of a CSV file; unset: found")
    encoding: str | None = Field(None, min_length=1, description="of a text; unset: UTF-8, UTF-16 or cp1252 as found")
    header_line: int | None = Field(
        None, ge=1, description="the line of the columns' names; lines above it are skipped"
    )
    no_header: CliToggleFlag[bool] = Field(
        default=False, description="the first line is data; columns are named column_1, column_2 and so on"
    )
    units_line: CliToggleFlag[bool] = Field(
        default=False, description="the line below the names holds units and is skipped"
    )
    sheet: str | None = Field(None, min_length=1, description="the sheet of an Excel file; unset: the only one")

    @model_validator(mode="after")
    def _check_data(self) -> Self:
        given = self.model_fields_set & TABLE_FIELDS
        if self.data is None and given:
            flags = ", ".join(f"--{name}".replace("_", "-") for name in TABLE_FIELDS_IN_ORDER if name in given)
            raise ValueError(
                f"{flags} need{'s' if len(given) == 1 else ''} --data: the article's series is without choice"
            )
        own = self.target in (None, self.column)
        if own and self.data is not None and self.resolved_horizon == 0:
            raise ValueError("at --horizon 0 the window's last value would be its own target: name another --target")
        return self

    @classmethod
    def examples(cls) -> str:
        """Examples at the end of `--help`."""
        return ""

    @property
    def resolved_horizon(self) -> int:
        if self.horizon is not None:
            return self.horizon
        return 1 if self.data is not None and self.target in (None, self.column) else 0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments only, no environment variables: a run depends on its command line alone."""
        return (init_settings,)


class TrainConfig(SeriesConfig):
    """Train networks on one lagged series and publish them to the model repository.

    The series are those of a table (--data), or the article's.
    `python -m training report` compares networks instead: see `report --help`;
    `python -m training inspect` says what a table holds: see `inspect --help`;
    `python -m training score` sends newer values to a running service: see `score --help`.
    """

    networks: tuple[str, ...] = Field(("lstm", "mlp"), description=f"networks to train, of {', '.join(NETWORKS)}")
    name: str | None = Field(
        None, description="publish as NAME-lstm, NAME-mlp and so on; unset: as lstm, mlp and so on"
    )
    recipe: Literal["scaled", "article"] = Field(
        "scaled",
        description="scaled: scaling inside the graph, a cosine learning rate, a final fit on all rows; "
        "article: raw inputs, constant rates, fitted without the held-out rows",
    )
    held_out: float = Field(0.05, gt=0, lt=1, description="share of the rows, at the end, to evaluate on")
    epochs: int | None = Field(
        None,
        ge=1,
        description="passes over the rows; unset: 4000, or 2000 for the article, and fewer on over 100 rows",
    )
    batch_size: int = Field(5, ge=1, description="rows in a training step")
    learning_rate: float = Field(
        0.01,
        gt=0,
        allow_inf_nan=False,
        description="learning rate at the start of the cosine; the article recipe has its own",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of the first weights and of the order of the rows")
    valid_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        exclude=True,
        description="days until the version is due to be replaced, for the card and the alert; unset: no limit",
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
        """The config with its epochs and batch size as they are on so many rows.

        Unset epochs are a budget of steps: as many as the recipe's default takes on the article's 100 rows, but no
        more epochs than that, and one at least. A batch has no more rows than there are.
        """
        batch_size = min(self.batch_size, rows)
        default = DEFAULT_EPOCHS[self.recipe]
        budget = default * ARTICLE_STEPS
        epochs = self.epochs or max(min(default, budget // -(-rows // batch_size)), 1)
        return self.model_copy(update={"batch_size": batch_size, "epochs": epochs})

    @property
    def resolved_epochs(self) -> int:
        return self.epochs or DEFAULT_EPOCHS[self.recipe]

    def on_card(self) -> dict[str, Any]:
        """The config for a card: no path but the table's file name, since cards are shown to clients."""
        return self.model_dump(mode="json") | {"data": self.data and self.data.name, "epochs": self.resolved_epochs}
