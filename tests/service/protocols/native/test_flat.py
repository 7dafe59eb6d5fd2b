import json
from functools import cache, partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import TensorSpec
from service.inference.errors import ServiceError
from service.protocols.native import flat
from service.protocols.native.body import batch_body, forecast_batch_body
from service.protocols.native.flat import read_flat, read_flat_forecast
from service.protocols.work_process import WorkProcess

MAX_ROWS = 5
NUMBERS = st.floats(-1e38, 1e38) | st.integers(-(10**20), 10**20)
ODD = st.sampled_from(["NaN", "true", "null", '"5"', "1e999", "1e39", "-", "01", "1.", "[1]", "{}", "", "5 5", "1e5"])
BLANK = st.text(" \t\r\n", max_size=2)


def spec(window: int) -> TensorSpec:
    return TensorSpec(name="window", shape=[None, window, 1])


# Building a validator takes longer than reading a document with it.
batch = cache(lambda window: batch_body(spec(window), window, MAX_ROWS))
forecast_batch = cache(lambda window: forecast_batch_body(spec(window), window, MAX_ROWS))


def rows_as_pydantic_reads_them(content: bytes, window: int) -> np.ndarray | None:
    try:
        return np.array(batch(window).parse(content).content, np.float64)
    except ServiceError:
        return None


def assert_the_same(content: bytes, window: int) -> None:
    read, nested = read_flat(content, "windows", window, MAX_ROWS), rows_as_pydantic_reads_them(content, window)

    if read is not None or nested is not None:
        assert read is not None, content
        assert nested is not None, content
        assert read.shape == nested.shape
        assert read.tobytes() == nested.tobytes()


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, int]:
    """Batches with blanks anywhere, and sometimes a wrong value, a wrong row or a wrong character."""
    window = draw(st.integers(1, 4))
    texts = [
        [draw(st.one_of(NUMBERS.map(json.dumps), *[ODD] * (draw(st.integers(0, 9)) == 0))) for _ in range(length)]
        for length in draw(st.lists(st.just(window) | st.integers(0, 5), max_size=6))
    ]

    def blank() -> str:
        return draw(BLANK)

    rows = [f"{blank()}[{','.join(f'{blank()}{text}{blank()}' for text in row)}]{blank()}" for row in texts]
    text = f'{blank()}{{{blank()}"windows"{blank()}:{blank()}[{",".join(rows)}]{blank()}}}{blank()}'
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(list('[]{},:" 15-eE.tn'))) + text[place + draw(st.integers(0, 1)) :]
    return text.encode(), window


@settings(max_examples=200)
@given(document=documents(), part_bytes=st.sampled_from([1, 4, flat.PART_BYTES]))
def test_reading_flat_gives_what_reading_row_by_row_gives(document: tuple[bytes, int], part_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "PART_BYTES", part_bytes)
        assert_the_same(*document)


def test_the_longest_body_of_the_shortest_numbers_fits_into_the_work_process() -> None:
    window = 84
    row = b"[" + b",".join([b"1"] * window) + b"]"
    rows = 16 * 2**20 // (len(row) + 1)
    content = b'{"windows":[' + b",".join([row] * rows) + b"]}"
    process = WorkProcess()
    try:
        read = process.run(partial(read_flat, content, "windows", window, rows))
    finally:
        process._stop()

    assert read.shape == (rows, window)
    assert (read == 1).all()


LEVELS = st.lists(st.floats(0.1, 99.9) | st.integers(1, 99), max_size=4).map(json.dumps) | st.sampled_from(
    ["[0]", "[100]", "[true]", '["80"]', "[80", "80]", "[[80]]", "[8 0]", "[80,]", "[NaN]", "null", "80"]
)
JOINTS = st.tuples(BLANK, BLANK, BLANK, BLANK, st.sampled_from(['"levels"'] * 9 + ['"level"', "levels", '"windows"']))


@settings(max_examples=150)
@given(
    document=documents(),
    levels=LEVELS,
    joint=JOINTS,
    place=st.none() | st.integers(0, 200),
    odd=st.sampled_from('[]{},:" 15'),
)
def test_what_is_read_flat_with_levels_is_what_pydantic_reads(
    document: tuple[bytes, int], levels: str, joint: tuple[str, ...], place: int | None, odd: str
) -> None:
    content, window = document
    before, after, inside, end, key = joint
    text = content.decode().rstrip(" \t\r\n}") + f"{before},{after}{key}{inside}:{end}{levels}{before}}}{after}"
    text = text if place is None else text[:place] + odd + text[place:]

    read = read_flat_forecast(text.encode(), "windows", window, MAX_ROWS)

    if read is not None:
        body = forecast_batch(window).parse(text.encode())
        assert read[0].tolist() == body.content
        assert read[1] == body.levels


def test_brackets_commas_and_numbers_in_every_order_are_told_from_whole_rows() -> None:
    for order in set(permutations("[[],5]67")) | set(permutations("[],[5]6")):
        for window in (1, 2):
            assert_the_same(b'{"windows":[' + "".join(order).encode() + b"]}", window)
            assert_the_same(b'{"windows":' + "".join(order).encode() + b"}", window)


@pytest.mark.parametrize("count", [MAX_ROWS, MAX_ROWS + 1])
def test_more_rows_than_allowed_are_left_to_be_refused(count: int) -> None:
    read = read_flat(json.dumps({"windows": [[1, 2]] * count}).encode(), "windows", 2, MAX_ROWS)

    assert (read is not None) == (count == MAX_ROWS)


@pytest.mark.parametrize("key", [b"win dows", b"window", b"windows5", b"\\u0077indows"])
def test_another_spelling_of_the_key_is_left_to_pydantic(key: bytes) -> None:
    assert read_flat(b'{"%b": [[1, 2]]}' % key, "windows", 2, MAX_ROWS) is None


def test_a_short_text_with_many_rows_that_are_too_short_takes_no_memory_for_whole_rows() -> None:
    assert read_flat(b'{"windows": [' + b"[]," * 20_000 + b"[]]}", "windows", 10**7, 10**5) is None
