"""Fast parser of well-formed batches: reads all windows as one flat list of numbers, not as a list per row."""

import re

import numpy as np
import simdjson
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from artifact import FLOAT32_OVERFLOW
from service.protocols.native.body import LEVELS, Float32

BLANKS = b" \t\r\n"
OBJECT = rb'[ \t\r\n]*\{[ \t\r\n]*"%b"[ \t\r\n]*:[ \t\r\n]*\[(.*)\][ \t\r\n]*\}[ \t\r\n]*'
NUMERIC = b"0123456789+-.eE"
PART_BYTES = 2**20  # simdjson takes up to 14 times the length of what it parses
BRACKETS_TO_BLANKS = bytes.maketrans(b"[]", b"  ")
NUMBERS = TypeAdapter(list[Float32])
LEVELS_LAST = re.compile(rb'\][ \t\r\n]*(,[ \t\r\n]*"levels"[ \t\r\n]*:[ \t\r\n]*(\[[^\]]*\]))[ \t\r\n]*\}[ \t\r\n]*\Z')
LEVELS_BYTES = 1024  # only this much of the end of the content is searched for levels


def read_flat(content: bytes, key: str, window: int, max_rows: int) -> NDArray[np.float64] | None:
    """Parse `{"key": [[…window numbers…], …]}` to (rows, window); None for any other content.

    Numbers: with the inner brackets replaced by blanks, the rows are one list of numbers.
    Brackets: without blanks and the characters of numbers, only the brackets and commas of whole rows may remain, and
    no number may stand between two rows.
    """
    found = re.fullmatch(OBJECT % re.escape(key.encode()), content, re.DOTALL)
    if found is None:
        return None
    rows = _count_rows(found[1].translate(None, BLANKS), window)
    if rows is None or rows > max_rows:
        return None
    numbers = _read_numbers(found[1].translate(BRACKETS_TO_BLANKS))
    return None if numbers is None or numbers.size != rows * window else numbers.reshape(rows, window)


def _count_rows(compact: bytes, window: int) -> int | None:
    """The number of rows in a text without blanks; None if its brackets and commas are not those of whole rows."""
    rows = compact.count(b"],[") + 1
    brackets = compact.translate(None, NUMERIC)
    # The length first: that many rows of commas may be far more than the text.
    if len(brackets) != rows * (window + 2) - 1 or compact[:1] + compact[-1:] != b"[]":
        return None
    row = b"[" + b"," * (window - 1) + b"]"
    return rows if brackets == b",".join([row] * rows) else None


def _read_numbers(text: bytes) -> NDArray[np.float64] | None:
    """Parse float32 numbers and the commas between them, in parts; None for any other text.

    Where a part has no number, the result has fewer numbers than the text has places for them.
    """
    parts, start = [], 0
    while start < len(text):
        stop = text.find(b",", start + PART_BYTES)
        stop = len(text) if stop < 0 else stop
        numbers = _read_list(b"[%b]" % text[start:stop])
        if numbers is None:
            return None
        parts.append(numbers)
        start = stop + 1
    return np.concatenate(parts) if parts else None


def _read_list(content: bytes) -> NDArray[np.float64] | None:
    """Parse a JSON list of float32 numbers; None for any other content."""
    try:
        numbers = np.frombuffer(simdjson.Parser().parse(content).as_buffer(of_type="d"), np.float64)  # type: ignore[union-attr]  # it begins with a bracket
    except (ValueError, RuntimeError):  # also for an integer beyond 64 bits, which is valid
        return _read_any_numbers(content)
    return numbers if np.abs(numbers).max(initial=0) < FLOAT32_OVERFLOW else None


def _read_any_numbers(content: bytes) -> NDArray[np.float64] | None:
    try:
        return np.array(NUMBERS.validate_json(content), np.float64)
    except ValidationError:
        return None


def read_flat_forecast(
    content: bytes, key: str, window: int, max_rows: int
) -> tuple[NDArray[np.float64], list[float]] | None:
    """Parse `{"key": [[…], …], "levels": […]}` to (rows, window) and levels; None for any other content."""
    found = LEVELS_LAST.search(content, max(0, len(content) - LEVELS_BYTES))
    levels: list[float] = []
    if found is not None:
        try:
            levels = LEVELS.validate_json(found[2])
        except ValidationError:
            return None
        content = content[: found.start(1)] + content[found.end(1) :]
    windows = read_flat(content, key, window, max_rows)
    return None if windows is None else (windows, levels)
