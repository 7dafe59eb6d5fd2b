"""`ScoreConfig`: the command line of `python -m training score`."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import CliSuppress, SettingsConfigDict

from artifact import NAME_PATTERN
from training.series_config import SeriesConfig


class ScoreConfig(SeriesConfig):
    """Send the newest values of a table to a running service, which counts how far its forecasts were off.

    Every version of the model that is kept forecasts the values from the windows before them, 1 step to all its steps
    ahead. Send each value once: --last is the number of values since the last time.
    """

    model_config = SettingsConfigDict(cli_prog_name="python -m training score")

    url: str = Field(
        "http://127.0.0.1:8000", pattern="^https?://[^/]", description="where the service answers, with a path if any"
    )
    model: str = Field(pattern=f"^{NAME_PATTERN}$", description="name of the published model")
    last: int = Field(1, ge=1, description="how many of the newest values of each series are scored")
    api_key_file: Path | None = Field(None, description="file with the service's API key, if it asks for one")
    window: CliSuppress[int] = 5
    horizon: CliSuppress[int | None] = None

    @model_validator(mode="after")
    def _check_given(self) -> Self:
        if self.data is None:
            raise ValueError("--data FILE is needed; - is standard input")
        if self.model_fields_set & {"window", "horizon"}:
            raise ValueError("--window and --horizon are those of the model's card")
        return self

    @classmethod
    def examples(cls) -> str:
        return """\
examples:
  python -m training score --data sales.csv --column units --model sales-lstm
  python -m training score --data sales.csv --model sales-lstm --last 24 --url https://forecasts.example.org"""
