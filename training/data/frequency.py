"""Frequency of times and its season: multiples of seconds to years, month starts and ends, business days."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artifact import calendar
from training.data.errors import SeriesError
from training.data.times import DAY, SECOND, Ticks, Unit

MINUTE, HOUR, WEEK = 60 * SECOND, 3600 * SECOND, 7 * DAY
FIXED = {"W": WEEK, "D": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "ms": 1_000, "us": 1}
WORDS = {"W": "week", "D": "day", "h": "hour", "min": "minute", "s": "second"}
WORDS |= {"ms": "millisecond", "us": "microsecond"}
MONTHS = {12: ("Y", "year"), 3: ("Q", "quarter"), 1: ("M", "month")}
NEAR_START, NEAR_END = 4, 24  # days of a month, from 0: the first and the last workday lie outside
WORKDAYS = 5  # Monday to Friday
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MOST = 0.5  # share of single steps, or of places with a row, below which there is no frequency
START = 10_000  # first rows of a long table, enough to exclude steps of months
Kind = Literal["fixed", "month-start", "month-end", "month-day", "business", "step"]


@dataclass(frozen=True)
class Frequency:
    """A regular step of time: `size` microseconds, months, business days or plain steps, by `kind`.

    name: the alias that pandas uses (15min, D, B, W-SUN, MS, ME, QS, YS; M for another day of the month), or `step`.
    words: `15 minutes`. season: steps in the usual season (`season_of`), 1 for none.
    """

    name: str
    words: str
    kind: Kind
    size: int
    season: int

    @property
    def on_card(self) -> str | None:
        """The name on a card, one of those in `artifact.calendar`; None for plain steps."""
        return None if self.kind == "step" else self.name

    def positions(self, wall: Ticks) -> Ticks:
        """The position of each time on the grid of the frequency, in steps from a fixed origin."""
        if self.kind in ("fixed", "step"):
            return (wall - (wall.min() if len(wall) else 0)) // self.size
        if self.kind == "business":
            counts: Ticks = np.busday_count("1970-01-01", _days(wall)) // self.size
            return counts
        return _month(wall) // self.size

    def times(self, steps: Ticks, first: int) -> Ticks:
        """The times `steps` steps after the time `first`."""
        if self.kind in ("fixed", "step"):
            return first + steps * self.size
        start = np.datetime64(first, "us")
        if self.kind == "business":
            return _ticks(np.busday_offset(start.astype("datetime64[D]"), steps * self.size))
        months = start.astype("datetime64[M]") + steps * self.size
        if self.kind == "month-end":
            return _ticks((months + 1).astype("datetime64[D]") - 1)
        return first - int(_ticks(start.astype("datetime64[M]"))) + _ticks(months)


def find_frequency(ticks: Ticks, wall: Ticks, same: NDArray[np.bool_], unit: Unit) -> Frequency | None:
    """The frequency of sorted times, or None if they have none.

    ticks: (rows,) in UTC, wall: by local clock, sorted within each series; same: (rows - 1,), whether a row and the
    next one are of one series. Days and longer steps are counted by the local clock, where a day of 23 hours is one
    day; shorter ones in UTC, where an hour that the clock shows twice is two hours.
    """
    if unit == "step":
        return _steps(np.diff(ticks)[same])
    return _months(wall, same) or _fixed(wall, same, least=DAY) or _fixed(ticks, same, least=1)


def named_frequency(name: str) -> Frequency:
    """The frequency that a flag names: 15min, h, D, B, W, MS, ME, QS, YS or a word. Raises SeriesError for others."""
    try:
        asked = calendar.Frequency.parse(name)
    except calendar.CalendarError as error:
        raise SeriesError(f"--frequency: {error}; or none") from None
    if asked.unit == "business day":
        return _business(asked.count)
    if asked.unit == "month":
        kinds: dict[str | None, Kind] = {"start": "month-start", "end": "month-end", None: "month-day"}
        return _monthly(asked.count, kinds[asked.edge])
    return _of_size(asked.count * (1 if asked.unit == "microsecond" else DAY), 0)


def season_of(size: int) -> int:
    """Number of steps in the usual season of a fixed step of `size` microseconds.

    A day in hours or minutes (24, 48, 96), an hour in minutes, a minute in seconds, a week in days (7), a year in
    weeks (52): the shortest of these cycles that has more than one step; for minutes and longer steps at least a day.
    """
    for longest, cycle in ((SECOND * 59, MINUTE), (MINUTE, HOUR), (HOUR * 12, DAY), (DAY, WEEK)):
        if size <= longest and cycle % size == 0 and cycle // size > 1:
            return cycle // size
    return 52 if size == WEEK else 26 if size == 2 * WEEK else 1


def _steps(steps: Ticks) -> Frequency | None:
    steps = steps[steps > 0]
    if not len(steps):
        return None
    size = int(np.gcd.reduce(steps))
    if not _is_regular(steps, size):
        return None
    return Frequency("step", "1 step" if size == 1 else f"{size} steps", "step", size, 1)


def _is_regular(steps: Ticks, size: int) -> bool:
    return float(np.mean(steps == size)) >= MOST or len(steps) / float((steps // size).sum()) >= MOST


def _days(wall: Ticks) -> NDArray[np.datetime64]:
    return wall.astype("datetime64[us]").astype("datetime64[D]")


def _month(wall: Ticks) -> Ticks:
    months: Ticks = _days(wall).astype("datetime64[M]").astype(np.int64)
    return months


def _ticks(dates: Any) -> Ticks:
    ticks: Ticks = dates.astype("datetime64[us]").astype(np.int64)
    return ticks


def _months(wall: Ticks, same: NDArray[np.bool_]) -> Frequency | None:
    """Months, quarters or years, if all times are on one day of the month, or all at its beginning or its end."""
    if len(wall) > START and _months(wall[:START], same[: START - 1]) is None and bool(same[: START - 1].any()):
        return None
    days = _days(wall)
    months = days.astype("datetime64[M]")
    of_month = (days - months).astype(np.int64)
    ends = bool(((days + 1).astype("datetime64[M]") != months).all())
    alike = bool((of_month == of_month[0]).all() or (of_month < NEAR_START).all() or (of_month >= NEAR_END).all())
    if not (ends or alike) or np.ptp(wall - _ticks(days)) != 0:
        return None
    steps: Ticks = np.diff(_month(wall))[same]
    if not len(steps) or bool((steps == 0).any() and (np.diff(wall)[same] > 0)[steps == 0].any()):
        return None
    steps = steps[steps > 0]
    size = int(np.gcd.reduce(steps)) if len(steps) else 0
    if not size or not _is_regular(steps, size):
        return None
    return _monthly(size, "month-end" if ends else "month-start" if not of_month.any() else "month-day")


def _monthly(size: int, kind: Kind) -> Frequency:
    span = next(months for months in MONTHS if size % months == 0)
    (letter, word), count = MONTHS[span], size // span
    end = {"month-start": "S", "month-end": "E", "month-day": ""}[kind]
    place = {"month-start": "", "month-end": ", at its end", "month-day": ", on one day of the month"}[kind]
    words = f"{word}{place}" if count == 1 else f"{count} {word}s{place}"
    return Frequency(
        f"{count if count > 1 else ''}{letter}{end}", words, kind, size, 12 // size if 12 % size == 0 else 1
    )


def _fixed(ticks: Ticks, same: NDArray[np.bool_], least: int) -> Frequency | None:
    """Weeks to microseconds: the greatest common divisor of all steps, if most of its places have a row."""
    steps = np.diff(ticks)[same]
    steps = steps[steps > 0]
    if not len(steps):
        return None
    size = int(np.gcd.reduce(steps))
    if size < least:
        return None
    if size == DAY and _is_business(ticks, steps):
        return _business(1)
    if not _is_regular(steps, size):
        return None
    return _of_size(size, int(ticks[0]))


def _is_business(ticks: Ticks, steps: Ticks) -> bool:
    """Whether no time is on a weekend, in a series that spans at least two weekends."""
    weekday = (ticks // DAY + 3) % 7  # 1970-01-01 was a Thursday
    return (
        bool((weekday < WORKDAYS).all())
        and int((steps == 3 * DAY).sum()) > 1
        and int((steps == DAY).sum()) * 2 > len(steps)
    )


def _business(count: int) -> Frequency:
    return Frequency(
        "B" if count == 1 else f"{count}B",
        "business day" if count == 1 else f"{count} business days",
        "business",
        count,
        5 if count == 1 else 1,
    )


def _of_size(size: int, first: int) -> Frequency:
    unit = next(name for name, length in FIXED.items() if size % length == 0)
    count = size // FIXED[unit]
    name = f"{count if count > 1 else ''}{unit}"
    if unit == "W":
        name += f"-{WEEKDAYS[(first // DAY + 3) % 7]}" if first else ""
    words = WORDS[unit] if count == 1 else f"{count} {WORDS[unit]}s"
    return Frequency(name, words, "fixed", size, season_of(size))
