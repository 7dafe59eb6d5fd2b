"""Combine times that are spread over columns, such as year and month or date and time of day, into one column."""

from dataclasses import replace

import polars as pl

from training.data.frame import Frame
from training.data.moments import CLOCKS_ALONE, DAYS, fitting, written

NAMES = {
    "year": ("year", "jahr", "année", "annee", "año", "yr"),
    "quarter": ("quarter", "quartal", "trimestre", "qtr"),
    "month": ("month", "monat", "mois", "mes"),
    "day": ("day", "tag", "jour", "día"),
    "date": ("date", "datum", "fecha"),
    "time": ("time", "zeit", "uhrzeit", "heure", "hora"),
}
RANGES = {"year": (1000, 2999), "quarter": (1, 4), "month": (1, 12), "day": (1, 31)}


def with_one_time(frame: Frame, named: set[str | None]) -> Frame:
    """The frame with one time column in place of several: `year`, `month` and perhaps `day`, `year` and `quarter`, or
    `date` and `time`.

    `named`: the columns that flags name; if one of the several is among them, nothing is combined.
    """
    parts = {part: name for part in NAMES for name in frame.columns.columns if name.strip().casefold() in NAMES[part]}
    parts = {part: name for part, name in parts.items() if _fits(frame.columns[name], part)}
    for wanted in (("date", "time"), ("year", "month", "day"), ("year", "month"), ("year", "quarter")):
        columns = [parts[part] for part in wanted if part in parts]
        if len(columns) == len(wanted) and not named & set(columns):
            return _composed(frame, wanted, columns)
    return frame


def _fits(cells: pl.Series, part: str) -> bool:
    if part in ("date", "time"):
        return cells.dtype == pl.String and bool(fitting(written(cells), DAYS if part == "date" else CLOCKS_ALONE))
    numbers = cells.cast(pl.Float64, strict=False)
    low, high = RANGES[part]
    whole = not numbers.null_count() and bool((numbers == numbers.round()).all())
    return whole and bool(numbers.is_between(low, high).all())


def _composed(frame: Frame, parts: tuple[str, ...], columns: list[str]) -> Frame:
    if parts == ("date", "time"):
        whole = pl.concat_str([pl.col(name).str.strip_chars() for name in columns], separator=" ")
    else:
        quarters = "quarter" in parts
        numbers = [pl.col(name).cast(pl.Float64).cast(pl.Int64).cast(pl.String) for name in columns]
        padded = numbers if quarters else [number.str.zfill(2) for number in numbers]
        whole = pl.concat_str(padded, separator="Q" if quarters else "-")
    name = " and ".join(columns) if len(columns) == len(("year", "month")) else ", ".join(columns)
    composed = frame.columns.select(whole.alias(name), pl.exclude(columns))
    return replace(frame, columns=composed, notes=[*frame.notes, f"the time is put together from {name}"])
