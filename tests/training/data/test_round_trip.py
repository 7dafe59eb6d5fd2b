"""A random clean table, written in a random dialect, is read back equal."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.config import TrainConfig
from training.data.reading import read_table

STEPS = {"D": 86_400, "h": 3600, "15min": 900, "s": 1, "W-MON": 604_800}
PATTERNS = {
    "D": ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%B %d, %Y", "%Y%m%d"),
    "W-MON": ("%Y-%m-%d", "%d-%b-%Y"),
    "h": ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M"),
    "15min": ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M"),
    "s": ("%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S"),
}
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 4))
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters="#"), min_size=1)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[str], list[str], list[list[float]], str]:
    """Random tables: frequency, ids, times as text and values by series, and the pattern of the times."""
    frequency = draw(st.sampled_from(list(STEPS)))
    pattern = draw(st.sampled_from(PATTERNS[frequency]))
    count = draw(st.integers(30, 45))
    first = np.datetime64("2024-01-01", "ms") + 604_800_000 * draw(st.integers(0, 50))
    moments = pl.Series(first + np.arange(count) * STEPS[frequency] * 1000)
    ids = draw(st.lists(NAMES.map(str.strip).filter(bool), min_size=1, max_size=3, unique=True))
    values = [draw(st.lists(NUMBERS, min_size=count, max_size=count)) for _ in ids]
    return frequency, ids, moments.dt.to_string(pattern).to_list(), values, pattern


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, Any]:
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    return {
        "delimiter": delimiter,
        "decimal": draw(st.sampled_from([".", ","])),
        "quotes": draw(st.booleans()),
        "ends": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        "blank": draw(st.booleans()),
        "backwards": draw(st.booleans()),
    }


def written(cells: list[list[str]], dialect: dict[str, Any]) -> bytes:
    out = io.StringIO()
    always = dialect["quotes"]
    for row in cells:
        quoted = [
            f'"{cell.replace(chr(34), chr(34) * 2)}"'
            if always or any(sign in cell for sign in (*",;\t|\"'", " "))
            else cell
            for cell in row
        ]
        out.write(dialect["delimiter"].join(quoted) + dialect["ends"])
    if dialect["blank"]:
        out.write(dialect["delimiter"] * (len(cells[0]) - 1) + dialect["ends"])
    return out.getvalue().encode(dialect["encoding"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), dialect=dialects())
def test_a_clean_table_in_any_dialect_is_read_back_equal(
    table: tuple[str, list[str], list[str], list[list[float]], str], dialect: dict[str, Any], tmp_path: Path
) -> None:
    frequency, ids, moments, values, _ = table
    rows = [
        [name, moment, f"{value:.4f}".replace(".", dialect["decimal"])]
        for name, series in zip(ids, values, strict=True)
        for moment, value in zip(moments, series, strict=True)
    ]
    path = tmp_path / "table.csv"
    path.write_bytes(written([["unique_id", "ds", "y"], *(rows[::-1] if dialect["backwards"] else rows)], dialect))

    found = read_table(TrainConfig(data=path))

    assert found.frequency is not None
    assert found.frequency.name == frequency
    by_id = {series.id: series for series in found.series()}
    assert by_id.keys() == set(ids)
    for name, expected in zip(ids, values, strict=True):
        np.testing.assert_array_equal(by_id[name].values, expected)
        np.testing.assert_array_equal(np.diff(by_id[name].times), np.timedelta64(STEPS[frequency], "s"))
