"""ISO 8601 time stamps with an offset or a named time zone (RFC 9557): parse one, and write others in its format."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from artifact.calendar import CalendarError, Frequency

MAX_LENGTH = 100
_ZONED = re.compile(r"(?P<time>[^\[\]]+)\[(?P<zone>[^\[\]]+)\]")
_MIDNIGHT = datetime.min.time()


@dataclass(frozen=True)
class TimeStamp:
    """A time stamp. moment: the parsed time. text: as written, which gives the format: date, Z, offset or zone."""

    moment: datetime
    text: str

    @classmethod
    def parse(cls, text: str) -> "TimeStamp":
        """Parse "2024-01-31", "2024-01-31T12:00:00Z", "…+01:00" or "…+01:00[Europe/Berlin]". Raises CalendarError."""
        found = _ZONED.fullmatch(text)
        try:
            moment = datetime.fromisoformat(text if found is None else found["time"])
            if found is not None:
                zone = ZoneInfo(found["zone"])
                moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
        except (ZoneInfoNotFoundError, OSError):
            raise CalendarError(f"unknown time zone in the time stamp {text[:MAX_LENGTH]!r}") from None
        except (ValueError, OverflowError):
            raise CalendarError(
                f"{text[:MAX_LENGTH]!r} is no time stamp of ISO 8601, such as 2024-01-31T12:00:00Z"
            ) from None
        return cls(moment, text)

    def write(self, moment: datetime) -> str:
        """Write another time in the format of this one; a date gets a time of day unless that is midnight."""
        if "T" not in self.text and " " not in self.text and moment.time() == _MIDNIGHT:
            return moment.date().isoformat()
        written = moment.isoformat()
        if "[" in self.text:
            return f"{written}[{self.text.partition('[')[2]}"
        return written.removesuffix("+00:00") + "Z" if self.text.upper().endswith("Z") else written


def times_after(start: TimeStamp, frequency: Frequency, first: int, count: int) -> list[str]:
    """Time stamps of `count` rows, the first one `first` rows after `start`, in the format of `start`.

    Raises CalendarError if `start` does not lie on the frequency, or a year is beyond 9999.
    """
    frequency.check_start(start.moment)
    return [start.write(frequency.after(start.moment, row)) for row in range(first, first + count)]
