"""The live version of a model: one pure function, used by the service and by `python -m artifact list`."""

from collections.abc import Mapping
from typing import NamedTuple


class Pin(NamedTuple):
    """A pin that is there: the version it names, or None and what is wrong with it."""

    version: int | None
    problem: str | None = None


class Version(NamedTuple):
    """A version by its number and by its content (see `Content.sha256`): a number alone can be given to other bytes."""

    number: int
    sha256: str


def choose(good: Mapping[int, str], pin: Pin | None, current: Version | None) -> Version | None:
    """The version that is to be live, or None.

    good: content by number, of the versions in the repository that were verified and tested good. pin: None without
    one. current: what is live now, or was when the process ended (last known good).

    1. A pin on a good version is obeyed.
    2. A pin that cannot be obeyed (unreadable, malformed, without its signature, on a version that is missing, bad or
       not tested yet) freezes the model: the current version stays, and without a current one nothing goes live.
       The pin may be there to keep the highest version out, so nothing may take its place.
    3. Without a pin the highest good version is live. The current one stays if it is higher: it was deleted or damaged,
       and an accident is no reason to step back. To step back, pin a lower version.
    """
    if pin is not None:
        if pin.version is None or pin.version not in good:
            return current
        return Version(pin.version, good[pin.version])
    if not good:
        return current
    highest = max(good)
    if current is not None and current.number > highest:
        return current
    return Version(highest, good[highest])
