"""Convert a column to times: date formats, day or month first, time zones, Excel and Unix numbers, plain steps."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.errors import SeriesError, shown
from training.data.frame import Frame
from training.data.moments import CLOCKS_ALONE, Written, fitting, written

Ticks = NDArray[np.int64]
Unit = Literal["time", "clock", "step"]

SECOND = 1_000_000  # microseconds, the unit of all ticks of time
DAY = 86_400 * SECOND
EXCEL_EPOCH = -25_569 * DAY  # day 0 of Excel's serial dates, 1899-12-30
EXCEL_RANGE = (18_264, 73_050)  # 1950 to 2099
YEARS = (1000, 2999)
MONTHS = (190_001, 210_012)  # 202401 is January 2024
DATED = ("date", "time", "ds", "datum", "zeit", "fecha", "day")
YEARLY = ("year", "jahr", "année", "annee", "año", "anno", "date", "ds")
UNIX = {"unix": SECOND, "unix-ms": 1_000, "unix-us": 1}
UNIX_RANGE = (500_000_000, 4_000_000_000)  # seconds: 1985 to 2096
NAMED = {"excel", *UNIX, "steps", "day-first", "month-first"}
MANY = 50_000  # number of rows from which on each distinct text is parsed only once
QUARTER = r"^(?:(?P<y1>\d{4})[-: ]?[Qq](?P<q1>[1-4])|[Qq](?P<q2>[1-4])[-/ ]?(?P<y2>\d{4}))$"
WEEK = r"^(\d{4})-?W(\d{2})(?:-?([1-7]))?$"


@dataclass(frozen=True)
class Times:
    """Times of rows. ticks: (rows,), microseconds since 1970 in UTC, or plain steps. wall: the same by local clock.

    unit: time, clock (a time of day without a date) or step. how: the format and zone, for the card.
    """

    ticks: Ticks
    wall: Ticks
    unit: Unit
    how: dict[str, str]

    def take(self, rows: NDArray[np.integer]) -> "Times":
        return replace(self, ticks=self.ticks[rows], wall=self.wall[rows])


def looks_like_times(cells: pl.Series) -> bool:
    """Whether a column has dates or times of day, by its content alone; plain numbers are not times."""
    if cells.dtype in (pl.Date, pl.Datetime):
        return True
    if cells.dtype != pl.String:
        return False
    texts = written(cells.head(2000))
    if texts.sample.text.is_empty():
        return False
    special = [texts.sample.text.str.contains(pattern).all() for pattern in (QUARTER, WEEK)]
    return any(special) or bool(fitting(texts)) or bool(fitting(texts, CLOCKS_ALONE))


def read_times(frame: Frame, column: str, asked: str | None, *, many: bool = True) -> Times | tuple[Times, Times]:
    """The times of a column; a pair, day first and month first, if the text is ambiguous.

    `asked` is a strptime format, or one of excel, unix, unix-ms, steps, day-first, month-first. Raises SeriesError
    with the line and the text.
    """
    cells = frame.columns[column]
    if many and cells.dtype == pl.String and len(cells) > MANY:
        return _distinct(frame, column, asked)
    if cells.dtype in (pl.Date, pl.Datetime):
        return _typed(frame, column, cells)
    if cells.dtype != pl.String or asked in ("excel", "steps", *UNIX):
        return _numbered(frame, column, _as_integers(frame, column, cells), asked)
    texts = written(cells)
    for pattern, reader in ((QUARTER, _quarters), (WEEK, _weeks)):
        if asked is None and texts.sample.text.str.contains(pattern).all() and len(texts.sample.text):
            return reader(frame, column, texts)
    if asked is None and _all_numbers(cells) and not fitting(texts, ("%Y%m%d",)):
        return _numbered(frame, column, _as_integers(frame, column, cells), asked)
    return _formatted(frame, column, texts, asked)


def _distinct(frame: Frame, column: str, asked: str | None) -> Times | tuple[Times, Times]:
    """`read_times` for a long column with many repeated texts: parses each distinct text once."""
    cells = frame.columns[column].fill_null("")
    texts = cells.unique(maintain_order=True)
    codes = cells.cast(pl.Enum(texts)).to_physical().to_numpy()

    def place(code: int) -> str:
        return frame.place(int(np.argmax(codes == code)))

    found = read_times(
        Frame(frame.name, pl.DataFrame({column: texts}), frame.dialect, place), column, asked, many=False
    )
    if isinstance(found, tuple):
        return found[0].take(codes), found[1].take(codes)
    return found.take(codes)


def _typed(frame: Frame, column: str, cells: pl.Series) -> Times:
    _refuse_missing(frame, column, cells.is_null(), cells)
    zone = cells.dtype.time_zone if isinstance(cells.dtype, pl.Datetime) else None
    cells = cells.cast(pl.Datetime("us", zone))
    ticks = cells.to_physical().to_numpy()
    wall = cells.dt.replace_time_zone(None).to_physical().to_numpy() if zone else ticks
    return Times(ticks, wall, "time", {"zone": zone} if zone else {})


def _formatted(frame: Frame, column: str, texts: Written, asked: str | None) -> Times | tuple[Times, Times]:
    formats = [asked] if asked and asked not in NAMED else fitting(texts)
    if asked in ("day-first", "month-first"):
        formats = [pattern for pattern in formats if _day_first(pattern) in (None, asked == "day-first")]
    clocks = [] if formats else fitting(texts, CLOCKS_ALONE)
    if not formats and not clocks:
        _refuse_text(frame, column, texts)
    readings = {pattern: texts.complete(pattern) for pattern in clocks or formats}
    fewest = min(int(((found.is_null()) & (texts.text != "")).sum()) for found in readings.values())
    readings = {k: v for k, v in readings.items() if int((v.is_null() & (texts.text != "")).sum()) == fewest}
    for pattern, found in readings.items():
        _refuse_missing(frame, column, texts.text == "", texts.text)
        _refuse_misfit(frame, column, found, texts, pattern)
    unit: Unit = "clock" if clocks else "time"
    times = [_times(found, texts, unit, pattern) for pattern, found in readings.items()]
    if all(np.array_equal(other.ticks, times[0].ticks) for other in times[1:]):
        return times[0]
    day, month = (
        next((t for t, p in zip(times, readings, strict=True) if _day_first(p) is f), None) for f in (True, False)
    )
    if day is None or month is None:
        raise SeriesError(_several(frame, column, texts, list(readings)))
    return day, month


def _times(found: pl.Series, texts: Written, unit: Unit, pattern: str) -> Times:
    wall = found.to_physical().to_numpy()
    how = {"format": pattern}
    if texts.offsets is None:
        return Times(wall, wall, unit, how)
    offsets = texts.offsets.to_numpy()
    return Times(wall - offsets, wall, unit, how | {"zone": "offsets in the text"})


def _day_first(pattern: str) -> bool | None:
    """Whether a format of only numbers has the day first; None if it is unambiguous."""
    if "%B" in pattern or "%d" not in pattern or pattern.startswith("%Y"):
        return None
    return pattern.index("%d") < pattern.index("%m")


def _all_numbers(cells: pl.Series) -> bool:
    return bool(cells.head(2000).str.contains(r"^\s*-?\d+(?:\.\d*)?\s*$").fill_null(value=False).all())


def _as_integers(frame: Frame, column: str, cells: pl.Series) -> pl.Series:
    numbers = cells.str.strip_chars().cast(pl.Float64, strict=False) if cells.dtype == pl.String else cells
    if not numbers.dtype.is_numeric():
        raise SeriesError(f"{frame.name}: column {shown(column)} holds {cells.dtype}, neither times nor steps")
    wrong = numbers.is_null() | numbers.cast(pl.Float64).is_nan()
    if cells.dtype == pl.String:
        _refuse_missing(frame, column, cells.fill_null("").str.strip_chars() == "", cells)
    rows = wrong.arg_true()
    if len(rows):
        raise SeriesError(
            f"{frame.where(int(rows[0]), column)}: {shown(cells[int(rows[0])])} is no time; the others are numbers"
        )
    return numbers


def _numbered(frame: Frame, column: str, numbers: pl.Series, asked: str | None) -> Times:
    values = numbers.cast(pl.Float64).to_numpy()
    kind = asked or _kind_of_numbers(values, column)
    if kind == "excel":
        ticks = EXCEL_EPOCH + np.rint(values * 86_400).astype(np.int64) * SECOND
        return Times(ticks, ticks, "time", {"format": "Excel serial date"})
    if kind in UNIX:
        ticks = np.rint(values * UNIX[kind]).astype(np.int64)
        return Times(ticks, ticks, "time", {"format": f"{kind} time", "zone": "UTC"})
    if kind == "month":
        months = values.astype(np.int64) // 100 * 12 + values.astype(np.int64) % 100 - 1 - 1970 * 12
        ticks = months.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        return Times(ticks, ticks, "time", {"format": "%Y%m"})
    if kind == "year":
        ticks = (values.astype(np.int64) - 1970).astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64)
        return Times(ticks, ticks, "time", {"format": "%Y"})
    wrong = np.flatnonzero(values != np.rint(values))
    if len(wrong):
        row = int(wrong[0])
        raise SeriesError(
            f"{frame.where(row, column)}: {values[row]:g} is not a whole number; steps are counted in whole numbers; "
            "without it the rows count as they stand: --time none"
        )
    ticks = values.astype(np.int64)
    return Times(ticks, ticks, "step", {"format": "steps"})


def _kind_of_numbers(values: NDArray[np.float64], column: str) -> str:
    dated, yearly = (any(word in column.lower() for word in words) for words in (DATED, YEARLY))
    low, high = float(values.min()), float(values.max())
    if low == high and len(values) > 1:
        return "steps"
    if dated and EXCEL_RANGE[0] <= low and high <= EXCEL_RANGE[1]:
        return "excel"
    for kind, factor in UNIX.items():
        if UNIX_RANGE[0] <= low * factor / SECOND and high * factor / SECOND <= UNIX_RANGE[1]:
            return kind
    whole = bool((values == np.rint(values)).all())
    month = values % 100
    if whole and (dated or "month" in column.lower()) and low >= MONTHS[0] and high <= MONTHS[1]:
        return "month" if bool(((month >= 1) & (month <= 12)).all()) else "steps"  # noqa: PLR2004 - of a year
    return "year" if whole and yearly and low >= YEARS[0] and high <= YEARS[1] else "steps"


def _quarters(frame: Frame, column: str, texts: Written) -> Times:
    parts = texts.text.str.extract_groups(QUARTER).struct.unnest()
    year = parts["y1"].fill_null(parts["y2"]).cast(pl.Int64)
    quarter = parts["q1"].fill_null(parts["q2"]).cast(pl.Int64)
    _refuse_misfit(frame, column, year, texts, "2024Q1")
    months = ((year - 1970) * 12 + (quarter - 1) * 3).to_numpy()
    ticks = months.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
    return Times(ticks, ticks, "time", {"format": "%YQ%q"})


def _weeks(frame: Frame, column: str, texts: Written) -> Times:
    parts = texts.text.str.extract_groups(WEEK).struct.unnest()
    whole = parts["1"] + "-W" + parts["2"] + "-" + parts["3"].fill_null("1")
    found = whole.str.to_date("%G-W%V-%u", strict=False)
    _refuse_misfit(frame, column, found, texts, "2024-W01")
    ticks = found.cast(pl.Datetime("us")).to_physical().to_numpy()
    return Times(ticks, ticks, "time", {"format": "%G-W%V"})


def _refuse_missing(frame: Frame, column: str, missing: pl.Series, cells: pl.Series) -> None:
    rows = missing.fill_null(value=True).arg_true()
    if len(rows):
        raise SeriesError(
            f"{frame.where(int(rows[0]), column)}: the time is missing ({len(rows)} of {len(cells)} rows have none); "
            "fill it in or leave the row out"
        )


def _refuse_misfit(frame: Frame, column: str, found: pl.Series, texts: Written, pattern: str) -> None:
    rows = (found.is_null() & (texts.text != "")).arg_true()
    if len(rows):
        row = int(rows[0])
        good = texts.text[int(found.is_not_null().arg_true()[0])] if found.null_count() < len(found) else pattern
        text = frame.columns[column][row]
        raise SeriesError(
            f"{frame.where(row, column)}: {shown(text)} is no time in the format of the others ({shown(good)} is, "
            f"{pattern}); mend it, or name the format with --time-format"
        )


def _refuse_text(frame: Frame, column: str, texts: Written) -> None:
    row = int((texts.text != "").arg_true()[0]) if (texts.text != "").any() else 0
    raise SeriesError(
        f"{frame.where(row, column)}: {shown(frame.columns[column][row])} is no time in a format that is known; "
        "name it, as --time-format '%d.%m.%Y %H:%M', or leave the column out: --time none"
    )


def _several(frame: Frame, column: str, texts: Written, formats: list[str]) -> str:
    return (
        f"{frame.where(0, column)}: {shown(texts.text[0])} can be read as {' or '.join(formats)}; "
        f"type --time-format '{formats[0]}', or the other one"
    )


def in_zone(times: Times, zone: str, first_of_two: NDArray[np.bool_]) -> Times:
    """Convert times of a local clock to UTC. `first_of_two`, (rows,): choose the earlier one of an ambiguous time.

    Raises SeriesError for an unknown zone, or a local time that is skipped in that zone.
    """
    wall = pl.Series(times.wall).cast(pl.Datetime("us"))
    choice = pl.Series(np.where(first_of_two, "earliest", "latest"))
    try:
        frame = pl.DataFrame({"wall": wall, "choice": choice})
        zoned = frame.select(
            pl.col("wall").dt.replace_time_zone(zone, ambiguous=pl.col("choice"), non_existent="null")
        ).to_series()
    except pl.exceptions.PolarsError as error:
        raise SeriesError(
            f"--time-zone {zone}: {str(error).splitlines()[0]}; Europe/Berlin is one, for example"
        ) from None
    if zoned.null_count():
        row = int(zoned.is_null().arg_true()[0])
        raise SeriesError(f"{wall[row]} never was in {zone}: its clocks were put forward; is --time-zone right?")
    ticks = zoned.to_physical().to_numpy()
    return replace(times, ticks=ticks, how=times.how | {"zone": zone})
