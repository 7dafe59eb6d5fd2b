"""The frequency of a model's series: whether a request's is the same, and the times of a forecast."""

from artifact import ModelCard
from artifact.calendar import CalendarError, Frequency
from artifact.timestamps import TimeStamp, times_after
from service.inference.errors import BadInput


def read_frequency(name: str) -> Frequency:
    """A frequency that a request names. Raises BadInput."""
    try:
        return Frequency.parse(name)
    except CalendarError as error:
        raise BadInput(f"frequency: {error}") from None


def check_frequency(card: ModelCard, frequency: Frequency) -> None:
    """Raise BadInput where a model was trained on rows that are further apart, or closer together."""
    own = frequency_of(card)
    if own is not None and not own.is_as_long_as(frequency):
        raise BadInput(
            f"{card.name} was trained on a series of the frequency '{own.name}', not '{frequency.name}'; "
            "resample the series, or ask a model of its frequency"
        )


def frequency_of(card: ModelCard) -> Frequency | None:
    """The frequency on the card; None for a series without times, or with times that no calendar has."""
    name = card.data.frequency
    try:
        return None if name is None else Frequency.parse(name)
    except CalendarError:
        return None


def forecast_times(card: ModelCard, last: str) -> list[str]:
    """The time of each step of a forecast, in the form of `last`, the time of the window's last value.

    Raises BadInput for a time that is none or does not lie on the card's frequency, and without such a frequency.
    """
    frequency = frequency_of(card)
    if frequency is None:
        raise BadInput(f"{card.name} was trained on a series without times; leave the time out")
    try:
        return times_after(TimeStamp.parse(last), frequency, card.horizon, card.steps)
    except CalendarError as error:
        raise BadInput(str(error)) from None
