"""Request bodies: a JSON object with the rows under the name of the model's input, and `levels` or `actuals`."""

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError, create_model

from artifact import FLOAT32_OVERFLOW, TensorSpec
from artifact.timestamps import MAX_LENGTH
from service.inference.errors import InvalidRequest, NotJSON, Problem

MAX_PROBLEMS = 10
MAX_COLONS = 1000
MAX_LEVELS = 20  # each level adds twice as many numbers to the response as the forecast has

Float32 = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-FLOAT32_OVERFLOW, lt=FLOAT32_OVERFLOW)]


Levels = Annotated[list[Annotated[float, Field(strict=True, gt=0, lt=100)]], Field(max_length=MAX_LEVELS, strict=True)]
LEVELS = TypeAdapter(Levels)


class Body(BaseModel):
    """Body of /predict. Its one key is the alias of `content`; `single_body` and `batch_body` create subclasses."""

    model_config = ConfigDict(extra="forbid")

    most_values: ClassVar[int] = 0  # most numbers in all rows together

    content: Any

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse and validate the bytes of a request. Raises NotJSON or InvalidRequest."""
        if len(content) > MAX_COLONS:
            cls._count(content)
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
        if problems[0]["type"] == "json_invalid":
            raise NotJSON(f"The body is not JSON: {problems[0]['msg'].removeprefix('Invalid JSON: ')}")
        raise InvalidRequest([cls._problem(p["type"], p["loc"], p["msg"]) for p in problems[:MAX_PROBLEMS]])

    @classmethod
    def _count(cls, content: bytes) -> None:
        """Count punctuation before parsing, and raise InvalidRequest if there is far too much of it.

        A parsed body takes twenty times the memory, and each unknown key adds an error object: 1.4 million in 13 MiB.
        """
        if content.count(b":") > MAX_COLONS:
            raise InvalidRequest([cls._problem("extra_forbidden", (), "")])
        if content.count(b",") > 2 * cls.most_values + MAX_COLONS:
            message = f"The body has more values than the {cls.most_values} that are taken at once"
            raise InvalidRequest([cls._problem("too_long", (cls.key(),), message)])

    @classmethod
    def _problem(cls, kind: str, loc: tuple[int | str, ...], message: str) -> Problem:
        if kind == "extra_forbidden":  # its loc is the unknown key, and responses never repeat the input
            return {"type": kind, "loc": ["body"], "msg": f"Unknown key; {cls.known_keys()}"}
        return {"type": kind, "loc": ["body", *loc], "msg": message}

    @classmethod
    def key(cls) -> str:
        """The JSON key of the row or rows."""
        return str(cls.model_fields["content"].alias)

    @classmethod
    def known_keys(cls) -> str:
        """List of the valid keys, for an error message."""
        return f"the only key is '{cls.key()}'"


class ForecastBody(Body):
    """Body of /forecast. levels: of the prediction intervals, 0 < level < 100; empty for none."""

    levels: Levels = []

    @classmethod
    def known_keys(cls) -> str:
        return f"the keys are '{cls.key()}' and 'levels'"


class DatedForecastBody(ForecastBody):
    """Body of /forecast with one row. time: of the window's last value, ISO 8601; adds timestamps to the response."""

    time: Annotated[str, Field(strict=True, max_length=MAX_LENGTH)] | None = None

    @classmethod
    def known_keys(cls) -> str:
        return f"the keys are '{cls.key()}', 'levels' and 'time'"


class ScoreBody(Body):
    """Body of /score. actuals: (rows, steps), null for an unknown value."""

    actuals: list[list[float | None]]

    @classmethod
    def known_keys(cls) -> str:
        return f"the keys are '{cls.key()}' and 'actuals'"


def single_body(spec: TensorSpec, window: int) -> type[Body]:
    """Body of /predict with one row: a list of `window` numbers, or a number if a row is a single value."""
    made: type[Body] = _make(Body, spec.name, window, is_single_value=spec.is_single_value, max_rows=None)
    return made


def batch_body(spec: TensorSpec, window: int, max_rows: int) -> type[Body]:
    """Body of /predict with 1 to `max_rows` rows, under the plural of the input's name."""
    made: type[Body] = _make(Body, f"{spec.name}s", window, is_single_value=spec.is_single_value, max_rows=max_rows)
    return made


def forecast_body(spec: TensorSpec, window: int) -> type[DatedForecastBody]:
    """Body of /forecast with one row."""
    made: type[DatedForecastBody] = _make(
        DatedForecastBody, spec.name, window, is_single_value=spec.is_single_value, max_rows=None
    )
    return made


def forecast_batch_body(spec: TensorSpec, window: int, max_rows: int) -> type[ForecastBody]:
    """Body of /forecast with 1 to `max_rows` rows."""
    made: type[ForecastBody] = _make(
        ForecastBody, f"{spec.name}s", window, is_single_value=spec.is_single_value, max_rows=max_rows
    )
    return made


def score_body(spec: TensorSpec, window: int, steps: int, max_rows: int) -> type[ScoreBody]:
    """Body of /score: 1 to `max_rows` rows, and the same number of lists of `steps` actual values or nulls."""
    made: type[ScoreBody] = _with_actuals(
        f"{spec.name}s", window, steps, max_rows, is_single_value=spec.is_single_value
    )
    return made


@lru_cache(maxsize=512)  # creating a class takes a millisecond; models with the same shape share it
def _make(base: type[Body], key: str, window: int, *, is_single_value: bool, max_rows: int | None) -> Any:
    row: Any = Float32 if is_single_value else Annotated[list[Float32], Field(min_length=window, max_length=window)]
    # FailFast: of a long batch only the first invalid row is reported.
    rows: Any = Annotated[list[row], Field(min_length=1, max_length=max_rows), FailFast()]
    content = (row if max_rows is None else rows, Field(alias=key))
    made = create_model(base.__name__, __base__=base, content=content)
    made.most_values = (max_rows or 1) * (1 if is_single_value else window)
    return made


@lru_cache(maxsize=512)
def _with_actuals(key: str, window: int, steps: int, max_rows: int, *, is_single_value: bool) -> Any:
    base: type[ScoreBody] = _make(ScoreBody, key, window, is_single_value=is_single_value, max_rows=max_rows)
    row: Any = Annotated[list[Float32 | None], Field(min_length=steps, max_length=steps)]
    actuals: Any = Annotated[list[row], Field(min_length=1, max_length=max_rows), FailFast()]
    made = create_model(base.__name__, __base__=base, actuals=(actuals, ...))
    made.most_values = base.most_values + max_rows * steps
    return made
