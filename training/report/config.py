"""`ReportConfig`: the command line of the report; `Budget`: the training steps that each of its networks gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import CliToggleFlag, SettingsConfigDict

from training.series_config import STANDARD_INPUT, TABLE_FIELDS, SeriesConfig

READING = TABLE_FIELDS - {"column", "target", "horizon"}  # the flags that say how a table is read
STEPS = 4000
QUICK_STEPS = 500
SEEDS = 5
QUICK_SEEDS = 2
SPANS = (1, 2, 3, 5, 10, 20, 50)
QUICK_SPANS = (1, 3, 10)
QUICK_EPOCHS = 400
HELD_OUT = 0.4  # of a series' rows, cut into as many blocks as there are rolling origins


@dataclass(frozen=True)
class Budget:
    """Training of each network in a comparison: Adam, with a cosine from `learning_rate` to zero over `steps`."""

    steps: int
    batch_size: int = 32
    learning_rate: float = 0.01


class ReportConfig(SeriesConfig):
    """Compare the LSTM with simpler models; write tables, pictures and a page.

    The series are those of a table. Without --data they are the article's,
    generated ones and two public ones.
    """

    model_config = SettingsConfigDict(cli_prog_name="python -m training report")

    window: int = Field(5, ge=1, le=100, description="values in a window of the --data series")
    quick: CliToggleFlag[bool] = Field(
        default=False, description="fewer seeds, spans and steps: takes some three minutes"
    )
    seeds: int | None = Field(
        None,
        ge=1,
        le=100,
        description=f"seeds that each run is repeated with (default: {SEEDS}, or {QUICK_SEEDS} with --quick)",
    )
    steps: int | None = Field(
        None, ge=1, description=f"training steps of every network (default: {STEPS}, or {QUICK_STEPS} with --quick)"
    )
    out: Path = Field(Path("report"), description="folder to write to")
    cache_dir: Path = Field(Path(".cache/report"), description="folder with the results of finished runs")

    @model_validator(mode="after")
    def _check_series(self) -> Self:
        if self.data == STANDARD_INPUT:
            raise ValueError("--data - is not possible here: a report reads its table several times; name a file")
        if self.data is None and "window" in self.model_fields_set:
            raise ValueError("--window needs --data: the windows of the built-in series are fixed")
        return self

    @classmethod
    def examples(cls) -> str:
        return """\
examples:
  python -m training report --quick
  python -m training report --data sales.csv --column units --horizon 3"""

    @property
    def budget(self) -> Budget:
        return Budget(self.steps or (QUICK_STEPS if self.quick else STEPS))

    @property
    def all_seeds(self) -> range:
        return range(self.seeds or (QUICK_SEEDS if self.quick else SEEDS))

    @property
    def spans(self) -> tuple[int, ...]:
        return QUICK_SPANS if self.quick else SPANS

    @property
    def article_epochs(self) -> int | None:
        """None: the epochs of each recipe."""
        return QUICK_EPOCHS if self.quick else None
