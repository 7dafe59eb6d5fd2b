"""The frequency of a model's series, and whether a request's frequency is the same."""

from artifact import ModelCard
from artifact.calendar import CalendarError, Frequency
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
