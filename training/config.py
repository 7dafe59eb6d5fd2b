"""`TrainConfig`: the command line of a training run, every option with its default."""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from artifact import NAME_PATTERN
from training.networks.registry import NETWORKS

# On the article's 100 rows: the cosine of the scaled recipe has settled by then; 2000 is the article's own number.
DEFAULT_EPOCHS = {"scaled": 4000, "article": 2000}


def _card_key_file() -> Path | None:
    file = os.environ.get("LAGCAST_CARD_KEY_FILE")
    return Path(file) if file else None


class SeriesConfig(BaseSettings):
    """The options that choose the series: the article's or a CSV column. Immutable."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_prog_name="python -m training",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    csv: Path | None = Field(None, description="a CSV file with a header line and the series, oldest row first")
    column: str | None = Field(None, min_length=1, description="the series' column in the file")
    target: str | None = Field(None, min_length=1, description="the column to predict; without it, the series itself")
    horizon: int | None = Field(
        None, ge=0, description="rows from the window's last value to the target; unset: 1, or 0 with --target"
    )
    window: int = Field(
        5, ge=1, le=100, description="values that a network on the window sees; `mlp` sees the last of them"
    )

    @model_validator(mode="after")
    def _check_csv(self) -> Self:
        if (self.csv is None) != (self.column is None):
            raise ValueError("--csv and --column go together")
        if self.csv is None and (self.target is not None or self.horizon is not None):
            raise ValueError("--target and --horizon need --csv: the article's series has its own target")
        if self.target in (None, self.column) and self.csv is not None and self.resolved_horizon == 0:
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
        return 1 if self.csv is not None and self.target in (None, self.column) else 0

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

    The series is a column of a CSV file, or without --csv the article's.
    `python -m training report` compares networks instead: see `report --help`.
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
    epochs: int | None = Field(None, ge=1, description="passes over the rows; unset: 4000, or 2000 for the article")
    batch_size: int = Field(5, ge=1, description="rows in a training step")
    learning_rate: float = Field(
        0.01,
        gt=0,
        allow_inf_nan=False,
        description="learning rate at the start of the cosine; the article recipe has its own",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="seed of the first weights and of the order of the rows")
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
  python -m training --csv sales.csv --column units --name sales
  python -m training --networks lstm,gru,linear --epochs 500 --held-out 0.2
  python -m training report --csv sales.csv --column units"""

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

    @property
    def resolved_epochs(self) -> int:
        return self.epochs or DEFAULT_EPOCHS[self.recipe]

    def on_card(self) -> dict[str, Any]:
        """The config for a card: no path but the CSV file's name, since cards are shown to clients."""
        return self.model_dump(mode="json") | {"csv": self.csv and self.csv.name, "epochs": self.resolved_epochs}
