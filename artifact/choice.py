"""Choice of the live version: one pure function, used by the service and by `python -m artifact list`."""

from collections.abc import Mapping
from typing import NamedTuple


class Pin(NamedTuple):
    """An existing pin: the version that it names, or None and the problem that makes it unusable."""

    version: int | None
    problem: str | None = None


class Version(NamedTuple):
    """Number and checksum of a version (see `Content.sha256`): files under the same number may be replaced."""

    number: int
    sha256: str


def choose(good: Mapping[int, str], pin: Pin | None, current: Version | None) -> Version | None:
    """Choose the live version of a model; None if there is none.

    good: checksum by version number, of the versions in the repository that passed verification and self-test.
    pin: the pin, or None. current: the version that is live now, or was when the process ended (last known good).

    1. A pin on a good version decides.
    2. An unusable pin (unreadable, malformed, unsigned, or on a version that is missing, bad or not tested yet)
       freezes the model: the current version stays live. Without a current version, none goes live.
       Reason: the pin may exist to keep the highest version out.
    3. Without a pin, the highest good version is live. The current version stays if it is higher: it was deleted or
       damaged by accident, which must not cause a rollback. To roll back, pin a lower version.
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
