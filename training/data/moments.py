"""Formats of dates and times of day, and the choice of those that fit a column of text."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import polars as pl

DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y"),  # if points separate the numbers, the day is first
    *("%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%d-%B-%y", "%d %B %y", "%B %d, %Y", "%B %d %Y"),
    *("%B-%d-%Y", "%d/%B/%Y", "%Y-%B-%d"),
    *("%A, %B %d, %Y", "%A %d %B %Y", "%A, %d %B %Y"),
)
MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%B %Y", "%B-%Y", "%B-%y", "%B %y", "%Y %B", "%Y-%B", "%YM%m")
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M")
FORMATS = (*DAYS, *MONTHS, *(f"{day}{gap}{clock}" for day in DAYS for gap in (" ", "T", ", ") for clock in CLOCKS))
CLOCKS_ALONE = CLOCKS[:5]
SAMPLE = 600  # maximum number of texts that formats are tested on, from the whole column
PROBE = 50  # number of texts by which formats are preselected
YEARS = (1000, 2999)  # outside of this range a two-digit year was parsed as a full year
# English month names by the first letters of foreign ones that differ.
FOREIGN: dict[str, str] = {
    foreign: english
    for english, words in {
        "jan": "januar janvier janv enero ene",
        "feb": "februar février fevrier févr febrero",
        "mar": "märz maerz mrz mars marzo",
        "apr": "avril avr abril abr",
        "may": "mai mayo",
        "jun": "juni juin junio",
        "jul": "juli juillet juil julio",
        "aug": "août aout agosto ago",
        "sep": "septembre septiembre sept",
        "oct": "oktober okt octobre octubre",
        "nov": "novembre noviembre",
        "dec": "dezember dez décembre déc diciembre dic",
    }.items()
    for foreign in words.split()
}
ZONE = r"\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})(?:\[[\w/+-]+\])?$"


@dataclass(frozen=True)
class Written:
    """Normalised text of dates: one space between words, months in English, UTC offsets separate.

    offsets: microseconds east of Greenwich, or None if the text has none.
    """

    text: pl.Series
    offsets: pl.Series | None

    def parse(self, pattern: str) -> pl.Series:
        """Wall-clock times; null if the text has another format."""
        text = self.text
        if "%Y" not in pattern and "%y" not in pattern:
            text, pattern = "1970-01-01 " + text, f"%Y-%m-%d {pattern}"  # a time of day alone
        elif "%d" not in pattern and "%G" not in pattern:
            text, pattern = "01 " + text, f"%d {pattern}"  # a month means its first day
        found = text.str.to_datetime(pattern, time_unit="us", strict=False)
        wrong = ~found.dt.year().is_between(*YEARS).fill_null(value=True)
        return found.set(wrong, None) if wrong.any() else found

    def complete(self, pattern: str) -> pl.Series:
        """Like `parse`, but for a format with a time of day, a date alone means midnight."""
        found = self.parse(pattern)
        clock = next((k for k in range(len(pattern)) if pattern[k:].startswith(("%H", "%I"))), 0)
        if clock and found.null_count():
            found = found.zip_with(found.is_not_null(), self.parse(pattern[:clock].rstrip("T, ")))
        return found

    @cached_property
    def sample(self) -> "Written":
        """Some hundred of the texts, from the whole column."""
        text = self.text.filter(self.text != "")
        if len(text) > SAMPLE:
            text = text.gather_every(len(text) // SAMPLE)
        return Written(text, None)


def written(cells: pl.Series) -> Written:
    """Normalise text of dates for parsing."""
    text = cells.fill_null("").str.strip_chars(" \t\r\n'\"\u00a0")
    offsets = None
    zoned = text.str.contains(r":\d{2}.*" + ZONE)
    if zoned.any() and not (~zoned & (text != "")).any():
        zone = text.str.extract("(" + ZONE + ")")
        offsets = _offsets(zone)
        text = text.str.replace(ZONE, "")
    if text.head(100).str.contains(r"\p{L}{3}").any():
        text = text.str.replace_all(r"\s+", " ").str.to_lowercase()
        text = text.str.replace_many(list(_words()), list(_words().values())) if not _is_english(text) else text
        text = text.str.replace_all(r"([a-z]{3})\.", "$1")
    return Written(text, offsets)


def fitting(texts: Written, formats: tuple[str, ...] = FORMATS) -> list[str]:
    """The formats that fit most texts of the sample, at least 90 %; formats of a date alone before others."""
    sample = texts.sample
    probe = Written(sample.text.head(PROBE), None)
    if probe.text.is_empty() or probe.text.str.contains(PLAIN_NUMBER).any():
        return []
    signs = _signs_of(probe.text)
    likely = [pattern for pattern in formats if _signs(pattern) in signs]
    for reading in (sample.parse, sample.complete):
        counts = {pattern: len(sample.text) - reading(pattern).null_count() for pattern in likely}
        most = max(counts.values(), default=0)
        if most and most >= 0.9 * len(sample.text):
            return [pattern for pattern, count in counts.items() if count == most]
    return []


PLAIN_NUMBER = r"^[-+]?(?:\d{1,7}|\d{9,}|\d+\.\d*|\d*,\d+)$"


def _signs(pattern: str) -> frozenset[str]:
    """The separators of a format, and whether it has a word."""
    bare = pattern.replace("%.f", ".").replace("%p", "").replace("M%m", "")
    word = {"word"} if "%B" in bare else set()
    for directive in ("%Y", "%y", "%m", "%d", "%H", "%M", "%S", "%I", "%B", "%A"):
        bare = bare.replace(directive, "")
    return frozenset((set(bare) - set(" T")) | word)


def _signs_of(texts: pl.Series) -> set[frozenset[str]]:
    """The same for texts: of each text, and of the most similar texts together, since parts may be missing."""
    each = [_text_signs(text) for text in texts.to_list()]
    usual = Counter(each).most_common(2)
    return {*each, frozenset().union(*(signs for signs, _ in usual))}


def _text_signs(text: str) -> frozenset[str]:
    word = {"word"} if re.search(r"[^\W\d_]{3}", text) else set()
    return frozenset({sign for sign in text if not sign.isalnum() and not sign.isspace()} | word)


def _is_english(text: pl.Series) -> bool:
    return bool(text.head(100).str.contains(r"\b(?:" + "|".join(FOREIGN) + r")\b").any()) is False


def _words() -> dict[str, str]:
    return dict(sorted(FOREIGN.items(), key=lambda item: -len(item[0])))


def _offsets(zone: pl.Series) -> pl.Series:
    parts = zone.str.extract_groups(r"([+-])(\d{2}):?(\d{2})?").struct.unnest()
    minutes = parts["2"].cast(pl.Int64).fill_null(0) * 60 + parts["3"].cast(pl.Int64).fill_null(0)
    sign = pl.select(pl.when(parts["1"] == "-").then(-1).otherwise(1)).to_series()
    return minutes * sign * 60_000_000
