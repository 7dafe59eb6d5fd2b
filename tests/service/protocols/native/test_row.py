import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import TensorSpec
from service.protocols.native.body import MAX_LEVELS, forecast_body, single_body
from service.protocols.native.row import MOST_BYTES, RowReader

WINDOW, VALUE = TensorSpec(name="window", shape=[None, 2, 1]), TensorSpec(name="value", shape=[None, 1])
READERS = {"window": RowReader("window", 2, is_list=True), "value": RowReader("value", 1, is_list=False)}
SINGLE = {"window": single_body(WINDOW, 2), "value": single_body(VALUE, 1)}
FORECAST = {"window": forecast_body(WINDOW, 2), "value": forecast_body(VALUE, 1)}

DIGITS = st.text("0123456789", min_size=1, max_size=25)
NUMBERS = (
    st.floats().map(json.dumps)
    | st.integers(-(10**45), 10**45).map(str)
    | st.tuples(DIGITS, DIGITS, st.integers(-400, 40)).map(lambda parts: f"-{parts[0]}.{parts[1]}e{parts[2]}")
    | st.sampled_from(["3.4028235e38", "3.4028235677973366e38", "-3.5e38", "1e999", "-0", "-0.0", "1.", "01", "NaN"])
)
VALUES = NUMBERS | st.sampled_from(["true", "null", '"5"', "[1]", "[]", "{}", ""])
LEVELS = st.lists(NUMBERS | st.sampled_from(["80", "99.9", "0", "100", "true"]) | st.floats(0, 100).map(json.dumps))
PAIRS = st.lists(NUMBERS, min_size=2, max_size=2)
LISTS = (st.lists(VALUES, max_size=3) | PAIRS | LEVELS).map(lambda texts: f"[{','.join(texts)}]")
KEYS = st.sampled_from(["window", "value", "levels", "levels", "time", "x", r"win\u0064ow", "window "])
BLANK = st.text(" \t\r\n\f", max_size=1)


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, str]:
    """Objects with the row and other keys, also twice, and right and wrong values; sometimes with a wrong character."""
    key = draw(st.sampled_from(["window", "value"]))
    row = draw(LISTS | PAIRS.map(lambda texts: f"[{','.join(texts)}]") if key == "window" else VALUES)
    items = draw(st.lists(st.tuples(KEYS, LISTS | VALUES), max_size=2))
    items.insert(draw(st.integers(0, len(items))), (key, row))
    text = ",".join([f'{draw(BLANK)}"{key}"{draw(BLANK)}:{value}' for key, value in items])
    text = f"{draw(BLANK)}{{{text}}}{draw(BLANK)}"
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(list('[]{},:" 15-eE.tn\ufeff'))) + text[place + 1 :]
    return text.encode(), key


def floats(row: list[float]) -> bytes:
    return np.array(row, np.float64).tobytes()


@settings(max_examples=200)
@given(document=documents())
def test_a_row_that_is_read_is_what_pydantic_reads(document: tuple[bytes, str]) -> None:
    content, key = document

    row = READERS[key].read(content)

    if row is not None:
        found = SINGLE[key].parse(content).content
        assert floats(row) == floats(found if key == "window" else [found])
        assert np.array([row], np.float32).tobytes() == np.array([found], np.float32).tobytes()


@settings(max_examples=200)
@given(document=documents())
def test_a_row_and_levels_that_are_read_are_what_pydantic_reads(document: tuple[bytes, str]) -> None:
    content, key = document

    read = READERS[key].read_with_levels(content)

    if read is not None:
        body = FORECAST[key].parse(content)
        assert floats(read[0]) == floats(body.content if key == "window" else [body.content])
        assert floats(read[1]) == floats(body.levels)


FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20)
REACHED = st.lists(st.floats(0, 100, exclude_min=True, exclude_max=True) | st.integers(1, 99), max_size=MAX_LEVELS)


@given(row=st.tuples(FLOAT32, FLOAT32).map(list), levels=REACHED)
def test_no_plain_body_is_left_to_pydantic(row: list[float], levels: list[float]) -> None:
    value, window = json.dumps({"value": row[0]}).encode(), json.dumps({"window": row}).encode()
    with_levels = json.dumps({"levels": levels, "window": row}).encode()
    as_read = list(map(float, row))  # integers beyond 64 bits are

    assert list(map(float, READERS["value"].read(value) or [])) == as_read[:1]
    for content, expected in ((window, []), (with_levels, levels)):
        read = READERS["window"].read_with_levels(content)
        assert read is not None
        assert (list(map(float, read[0])), read[1]) == (as_read, expected)
    assert list(map(float, READERS["window"].read(window) or [])) == as_read


def test_one_level_more_than_allowed_is_left_to_be_refused() -> None:
    content = json.dumps({"window": [1, 2], "levels": [80] * (MAX_LEVELS + 1)}).encode()

    assert READERS["window"].read_with_levels(content) is None


@pytest.mark.parametrize("key", ["levels", "time"])
def test_a_model_whose_input_has_the_name_of_another_key_is_left_to_pydantic(key: str) -> None:
    content = json.dumps({key: [80, 90]}).encode()

    assert RowReader(key, 2, is_list=True).read_with_levels(content) is None


@pytest.mark.parametrize("length", [MOST_BYTES, MOST_BYTES + 1])
def test_a_long_body_is_left_to_pydantic(length: int) -> None:
    content = b'{"window": [1, 2]}'.ljust(length)

    assert (READERS["window"].read(content) is not None) == (length == MOST_BYTES)
