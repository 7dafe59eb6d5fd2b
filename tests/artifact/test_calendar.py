"""Calendar arithmetic: compared with pandas' date_range, or with literal dates where pandas has no equivalent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifact.calendar import DAYS, MONTHS, CalendarError, Frequency
from artifact.timestamps import TimeStamp, times_after

pd = pytest.importorskip("pandas")  # not in the environment of make test-service

ALIASES = st.one_of(
    st.sampled_from(["ms", "s", "min", "h", "D", "B", "W", "MS", "ME", "QS", "QE", "YS", "YE"]),
    st.sampled_from([f"W-{day}" for day in DAYS]),
    st.sampled_from([f"{edge}-{month}" for edge in ("QS", "QE", "YS", "YE") for month in MONTHS]),
)
FIRST, LAST = datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2030-01-01")
STARTS = st.datetimes(FIRST, LAST).map(lambda start: start.replace(microsecond=0))


@given(alias=ALIASES, multiple=st.integers(1, 40), start=STARTS, rows=st.integers(1, 60))
def test_times_are_those_of_pandas(alias: str, multiple: int, start: datetime, rows: int) -> None:
    expected = pd.date_range(start, periods=rows, freq=f"{multiple}{alias}", unit="us")
    first = TimeStamp.parse(expected[0].isoformat())

    assert times_after(first, Frequency.parse(f"{multiple}{alias}"), 0, rows) == [t.isoformat() for t in expected]


@given(start=STARTS, rows=st.integers(0, 400), more=st.integers(0, 400), alias=ALIASES)
def test_steps_add_up(start: datetime, rows: int, more: int, alias: str) -> None:
    frequency = Frequency.parse(alias)
    start = pd.date_range(start, periods=1, freq=alias)[0].to_pydatetime()

    assert frequency.after(frequency.after(start, rows), more) == frequency.after(start, rows + more)


@pytest.mark.parametrize(
    ("frequency", "start", "expected"),
    [
        ("month", "2023-12-31", ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("M", "2023-01-30", ["2023-02-28", "2023-03-30", "2023-04-30"]),
        ("M", "2024-04-30", ["2024-05-31", "2024-06-30", "2024-07-31"]),
        ("month", "2024-01-15", ["2024-02-15", "2024-03-15", "2024-04-15"]),
        ("quarter", "2023-12-31", ["2024-03-31", "2024-06-30", "2024-09-30"]),
        ("Q", "2024-01-01", ["2024-04-01", "2024-07-01", "2024-10-01"]),
        ("year", "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28"]),
        ("2 weeks", "2024-02-19", ["2024-03-04", "2024-03-18", "2024-04-01"]),
        ("business days", "2024-02-29", ["2024-03-01", "2024-03-04", "2024-03-05"]),
        ("day", "2024-02-28", ["2024-02-29", "2024-03-01", "2024-03-02"]),
        ("hour", "2024-12-31T22:00:00Z", ["2024-12-31T23:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z"]),
        ("12h", "2024-01-31", ["2024-01-31T12:00:00", "2024-02-01", "2024-02-01T12:00:00"]),
    ],
)
def test_months_end_in_leap_years_too(frequency: str, start: str, expected: list[str]) -> None:
    assert times_after(TimeStamp.parse(start), Frequency.parse(frequency), 1, 3) == expected


def test_an_offset_keeps_hours_right_across_a_change_to_daylight_saving_time() -> None:
    start = TimeStamp.parse("2024-03-31T00:00:00+01:00")  # Berlin's clocks go from 2:00 to 3:00 that night

    hours = times_after(start, Frequency.parse("hour"), 1, 3)

    assert hours == ["2024-03-31T01:00:00+01:00", "2024-03-31T02:00:00+01:00", "2024-03-31T03:00:00+01:00"]
    assert datetime.fromisoformat(hours[2]) == datetime(2024, 3, 31, 2, tzinfo=UTC)


@given(
    st.sampled_from(["h", "15min", "D", "W-SUN", "MS", "ME"]), STARTS, st.integers(1, 50)
)  # to 2034: pandas has no zone offsets after 2037
def test_a_zone_moves_the_offset_as_pandas_does(alias: str, start: datetime, rows: int) -> None:
    day = pd.date_range(start.date(), periods=1, freq=alias.lstrip("15"))[0] + timedelta(hours=12)
    expected = pd.date_range(day.tz_localize("Europe/Berlin"), periods=rows, freq=alias)
    first = TimeStamp.parse(f"{expected[0].isoformat()}[Europe/Berlin]")

    found = times_after(first, Frequency.parse(alias), 0, rows)

    assert found == [f"{time.isoformat()}[Europe/Berlin]" for time in expected]


def test_a_day_has_23_hours_where_daylight_saving_time_begins() -> None:
    start = TimeStamp.parse("2024-03-30T12:00:00[Europe/Berlin]")

    assert times_after(start, Frequency.parse("day"), 1, 1) == ["2024-03-31T12:00:00+02:00[Europe/Berlin]"]
    assert times_after(start, Frequency.parse("24h"), 1, 1) == ["2024-03-31T13:00:00+02:00[Europe/Berlin]"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("M", "MS", True),
        ("Q", "3ME", True),
        ("year", "4QS-OCT", True),
        ("W", "7D", True),
        ("D", "24h", True),
        ("60min", "hour", True),
        ("D", "B", False),
        ("W", "M", False),
        ("15min", "30min", False),
    ],
)
def test_frequencies_of_one_length_agree(one: str, other: str, *, same: bool) -> None:
    assert Frequency.parse(one).is_as_long_as(Frequency.parse(other)) is same


@pytest.mark.parametrize(
    "name", ["", "fortnight", "0D", "99999D", "-1D", "1.5h", "MS-JAN", "W-JAN", "QE-MON", "D-MON", "Dé"]
)
def test_an_unknown_frequency_is_named(name: str) -> None:
    with pytest.raises(CalendarError, match="frequency"):
        Frequency.parse(name)


@pytest.mark.parametrize(
    ("frequency", "start"),
    [
        ("B", "2024-01-06"),
        ("W-SUN", "2024-01-06"),
        ("MS", "2024-01-02"),
        ("ME", "2024-02-28"),
        ("QE-DEC", "2024-01-31"),
        ("YS-JAN", "2024-02-01"),
    ],
)
def test_a_start_that_is_not_on_the_frequency_is_refused(frequency: str, start: str) -> None:
    with pytest.raises(CalendarError, match="does not lie on"):
        times_after(TimeStamp.parse(start), Frequency.parse(frequency), 1, 1)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024-02-30", "2024-01-01T25:00", "[Europe/Berlin]", "2024-01-01[Mars]", "2024-01-01[../x]"],
)
def test_what_is_no_time_stamp_is_refused(text: str) -> None:
    with pytest.raises(CalendarError, match="time stamp"):
        TimeStamp.parse(text)


def test_the_end_of_the_calendar_is_an_error() -> None:
    for frequency in ("second", "day", "month", "year", "B"):
        with pytest.raises(CalendarError, match="9999"):
            Frequency.parse(frequency).after(datetime.fromisoformat("9999-12-31T23:59:59"), 1)
