"""`InspectConfig`: the command line of `python -m training inspect`."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import CliToggleFlag, SettingsConfigDict

from training.series_config import SeriesConfig


class InspectConfig(SeriesConfig):
    """Say what a table holds, how it was understood, and which flag answers each of its problems.

    Exits with 0 if a run would accept the table, with 2 if it would not.
    """

    model_config = SettingsConfigDict(cli_prog_name="python -m training inspect")

    json_: CliToggleFlag[bool] = Field(default=False, validation_alias="json", description="print JSON for programs")

    @model_validator(mode="after")
    def _check_given(self) -> Self:
        if self.data is None:
            raise ValueError("--data FILE is needed; - is standard input")
        return self

    @classmethod
    def examples(cls) -> str:
        return """\
examples:
  python -m training inspect --data sales.xlsx
  cat sales.csv | python -m training inspect --data - --json"""
