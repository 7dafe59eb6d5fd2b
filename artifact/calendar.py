"""Calendar arithmetic: parse a frequency such as "15min" or "month end", and step from one time stamp to later ones."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WORKDAYS = 5  # Monday to Friday; holidays are not known here
MAX_MULTIPLE = 10_000

Unit = Literal["microsecond", "day", "business day", "month"]
Edge = Literal["start", "end"]


class CalendarError(ValueError):
    """A frequency or a time stamp that cannot be used; the message says why."""


class _Name(NamedTuple):
    """Meaning of a frequency name: number of units, and the edge of the period if rows lie on one."""

    unit: Unit
    units: int
    edge: Edge | None = None


_NAMES: Mapping[str, _Name] = {
    **dict.fromkeys(("us", "microsecond"), _Name("microsecond", 1)),
    **dict.fromkeys(("ms", "millisecond"), _Name("microsecond", 1000)),
    **dict.fromkeys(("s", "S", "sec", "second"), _Name("microsecond", 1_000_000)),
    **dict.fromkeys(("min", "T", "minute"), _Name("microsecond", 60_000_000)),
    **dict.fromkeys(("h", "H", "hour"), _Name("microsecond", 3_600_000_000)),
    **dict.fromkeys(("D", "d", "day"), _Name("day", 1)),
    **dict.fromkeys(("W", "w", "week"), _Name("day", 7)),
    **dict.fromkeys(("B", "business day"), _Name("business day", 1)),
    **dict.fromkeys(("M", "MD", "month"), _Name("month", 1)),
    **dict.fromkeys(("MS", "month start"), _Name("month", 1, "start")),
    **dict.fromkeys(("ME", "month end"), _Name("month", 1, "end")),
    **dict.fromkeys(("Q", "QD", "quarter"), _Name("month", 3)),
    **dict.fromkeys(("QS", "quarter start"), _Name("month", 3, "start")),
    **dict.fromkeys(("QE", "quarter end"), _Name("month", 3, "end")),
    **dict.fromkeys(("Y", "A", "YD", "year"), _Name("month", 12)),
    **dict.fromkeys(("YS", "AS", "year start"), _Name("month", 12, "start")),
    **dict.fromkeys(("YE", "AE", "year end"), _Name("month", 12, "end")),
}
_PATTERN = re.compile(r"(?P<multiple>[0-9]{1,5})? ?(?P<name>[A-Za-z]+(?: [a-z]+)?)(?:-(?P<anchor>[A-Z]{3}))?")


@dataclass(frozen=True)
class Frequency:
    """Distance between the rows of a series: `count` units.

    name: the frequency as the user wrote it.
    edge: whether rows lie on the first or the last day of a month. None: on the day of the month of the first row.
    anchor: weekday of weekly rows (0 is Monday), or the month in which quarters or years start or end (1 to 12).
    """

    name: str
    unit: Unit
    count: int
    edge: Edge | None = None
    anchor: int | None = None

    @classmethod
    def parse(cls, name: str) -> "Frequency":
        """Read a frequency: a word ("month end"), or pandas' alias ("ME", "15min", "W-SUN", "QS-OCT").

        Raises CalendarError.
        """
        found = _PATTERN.fullmatch(name)
        known = None if found is None else _NAMES.get(found["name"]) or _NAMES.get(found["name"].removesuffix("s"))
        if found is None or known is None:
            raise CalendarError(
                f"unknown frequency {name[:40]!r}; known are second, minute, hour, day, business day, week, "
                "month, quarter and year, pandas' aliases (ME, QS-OCT, …), and multiples such as 15min"
            )
        multiple = int(found["multiple"] or 1)
        if not 1 <= multiple <= MAX_MULTIPLE:
            raise CalendarError(f"the multiple in the frequency {name!r} must be from 1 to {MAX_MULTIPLE}")
        anchor = None if found["anchor"] is None else _anchor(name, known, found["anchor"])
        return cls(name, known.unit, multiple * known.units, known.edge, anchor)

    def is_as_long_as(self, other: "Frequency") -> bool:
        """Compare the distance between rows; edge and anchor are ignored. A quarter is three months, a day 24 hours."""
        return _comparable(self) == _comparable(other)

    def check_start(self, start: datetime) -> None:
        """Raise CalendarError if no row of this frequency can have this time."""
        if not self._has(start):
            raise CalendarError(f"{start.date()} is a {start:%A} and does not lie on the frequency '{self.name}'")

    def _has(self, start: datetime) -> bool:
        if self.unit == "business day":
            return start.weekday() < WORKDAYS
        if self.unit == "day":
            return self.anchor in {None, start.weekday()}
        on_edge = {"start": start.day == 1, "end": _is_month_end(start), None: True}
        if not on_edge[self.edge]:
            return False
        return self.anchor is None or (start.month - self.anchor) % _cycle(self) == 0

    def after(self, start: datetime, rows: int) -> datetime:
        """The time `rows` rows after the row at `start`. Raises CalendarError beyond the years 1 to 9999.

        Units up to hours count elapsed time. Days and longer units follow the local calendar: a daily series keeps
        its hour across a change to daylight saving time. Monthly rows that start on the last day of a month stay on
        last days. Others keep their day of the month, or take the last day of a shorter month.
        """
        steps = rows * self.count
        try:
            if self.unit == "microsecond":
                return _normal(start, timedelta(microseconds=steps))
            if self.unit == "month":
                return _local(_add_months(start, steps, to_end=self.edge != "start" and _is_month_end(start)))
            days = steps if self.unit == "day" else _workdays_to_days(start.weekday(), steps)
            return _local(start + timedelta(days=days))
        except (OverflowError, ValueError):
            raise CalendarError(f"{rows} rows after {start.date()} are beyond the years 1 to 9999") from None


def _anchor(name: str, known: _Name, text: str) -> int:
    if known == _NAMES["W"] and text in DAYS:
        return DAYS.index(text)
    if known.unit == "month" and known.units > 1 and text in MONTHS:
        return MONTHS.index(text) + 1
    raise CalendarError(f"unknown anchor {text!r} in the frequency {name!r}")


def _cycle(frequency: Frequency) -> int:
    """Length of the anchored period in months: 3 for quarters, 12 for years, whatever the multiple."""
    return 12 if re.search(r"[YA]|year", frequency.name.partition("-")[0]) else 3


def _comparable(frequency: Frequency) -> tuple[Unit, int]:
    if frequency.unit == "day":
        return "microsecond", frequency.count * 86_400_000_000
    return frequency.unit, frequency.count


def _is_month_end(time: datetime) -> bool:
    return time.day == monthrange(time.year, time.month)[1]


def _add_months(time: datetime, months: int, *, to_end: bool) -> datetime:
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return time.replace(year=year, month=month + 1, day=last if to_end else min(time.day, last))


def _workdays_to_days(weekday: int, steps: int) -> int:
    """Calendar days from a workday (0 is Monday) to the one `steps` workdays later."""
    weeks, rest = divmod(weekday + steps, WORKDAYS)
    return weeks * 7 + rest - weekday


def _normal(start: datetime, elapsed: timedelta) -> datetime:
    """Add elapsed time, computed in UTC: adding to an aware datetime moves its wall clock instead."""
    if start.tzinfo is None:
        return start + elapsed
    return (start.astimezone(UTC) + elapsed).astimezone(start.tzinfo)


def _local(time: datetime) -> datetime:
    """Normalize a local time: one that daylight saving time skips becomes the time that clocks show at that moment."""
    return time if time.tzinfo is None else time.astimezone(UTC).astimezone(time.tzinfo)
