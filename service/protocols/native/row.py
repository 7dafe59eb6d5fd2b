"""Fast parser of well-formed bodies with one row: `{"window": […], "levels": […]}` or `{"value": …}`."""

from typing import Any, NamedTuple, Self, TypeGuard

import orjson

from artifact import FLOAT32_OVERFLOW
from service.inference.loader import LiveModel
from service.protocols.native.body import MAX_LEVELS

MOST_BYTES = 16 * 2**10  # a longer body of another kind could become far too many objects
NUMBERS = frozenset({int, float})
OTHER_KEYS = frozenset({"levels", "time"})


class RowReader(NamedTuple):
    """The shape of bodies with one row. key: of the row. size: its numbers. is_list: whether it is a list, or a number.

    What it does not read, right or wrong, is left to pydantic, which takes three times as long.
    """

    key: str
    size: int
    is_list: bool

    @classmethod
    def of(cls, model: LiveModel) -> Self:
        """The reader for a model's input."""
        card = model.card
        return cls(card.input.name, card.window, not card.input.is_single_value)

    def read(self, content: bytes) -> list[float] | None:
        """The row of a body that has nothing else; None for any other content."""
        document = _read_object(content)
        return self._row(document) if len(document) == 1 else None

    def read_with_levels(self, content: bytes) -> tuple[list[float], list[float]] | None:
        """The row of a body, and its levels if it has any; None for any other content."""
        document = _read_object(content)
        row, levels = self._row(document), document.get("levels", [])
        if row is None or len(document) != 1 + ("levels" in document) or self.key in OTHER_KEYS:
            return None
        is_valid = levels == [] or (_are_numbers(levels, 0, 100) and len(levels) <= MAX_LEVELS)
        return (row, levels) if is_valid else None

    def _row(self, document: dict[str, Any]) -> list[float] | None:
        found = document.get(self.key)
        row = found if self.is_list else [found]
        return row if _are_numbers(row, -FLOAT32_OVERFLOW, FLOAT32_OVERFLOW) and len(row) == self.size else None


def _read_object(content: bytes) -> dict[str, Any]:
    """A JSON object; an empty one for any other content."""
    try:
        document = orjson.loads(content) if len(content) <= MOST_BYTES else None
    except orjson.JSONDecodeError:
        return {}
    return document if type(document) is dict else {}


def _are_numbers(found: object, low: float, high: float) -> TypeGuard[list[float]]:
    """Whether a JSON value is a list of numbers between low and high, and has any."""
    if type(found) is not list or not found or not NUMBERS.issuperset(map(type, found)):
        return False
    return bool(low < min(found) and max(found) < high)
