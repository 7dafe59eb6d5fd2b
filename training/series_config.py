"""`SeriesConfig`: the options of every command that reads a series: its file and how the table is understood."""

from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, CliToggleFlag, PydanticBaseSettingsSource, SettingsConfigDict

STANDARD_INPUT = Path("-")
TABLE_FIELDS_IN_ORDER = (
    *("column", "target", "time", "id", "horizon", "gaps", "duplicates", "decimal", "time_format", "time_zone"),
    *("frequency", "delimiter", "encoding", "header_line", "no_header", "units_line", "sheet"),
)
TABLE_FIELDS = frozenset(TABLE_FIELDS_IN_ORDER)
DEFAULT_WINDOW = 5  # the article's


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
    window: int | None = Field(
        None,
        ge=1,
        le=200,
        description="values in a window; unset: four seasons or 8 values by the combination recipe, "
        "else 5, of which `mlp` sees the last",
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

    @property
    def resolved_window(self) -> int:
        """The window of the scaled and article recipes and of the report."""
        return self.window or DEFAULT_WINDOW

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
