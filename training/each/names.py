"""Safe model names from series ids of any text."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from training.data.errors import SeriesError, shown
from training.networks.registry import NETWORKS

LONGEST = 128  # characters of a model's name
DIGEST = 8  # hexadecimal digits of the SHA-256 that a name has which was cut
KEPT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._")


def safe_name(series: str, room: int = LONGEST) -> str:
    """The name that a series is published by: at most `room` small ASCII letters, digits, '.', '_' and '-'.

    Letters become small and lose their accents: 'Café Zürich' is cafe-zurich. Letters and digits that are not Latin
    are written as `u` and their code in hexadecimal: '東京' is u6771u4eac. Everything else, spaces too, becomes '-',
    several only one, and none is left at either end. An id without letters and digits has all its characters written
    as codes. A name that is too long is cut, and ends with '-' and 8 digits of the SHA-256 of the id.
    """
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", series).casefold())
    name = re.sub("-+", "-", "".join(map(_spelled, letters))).strip("-._")
    name = name or "".join(map(_code, series))
    if len(name) <= room:
        return name
    digest = hashlib.sha256(series.encode()).hexdigest()[:DIGEST]
    return f"{name[: room - DIGEST - 1].rstrip('-._')}-{digest}"


def safe_names(ids: Iterable[str], prefix: str | None) -> dict[str, str]:
    """The name of each series by its id, behind `prefix` if there is one: `shops-berlin`.

    Raises SeriesError, which names both, where two ids have the same name.
    """
    before = f"{prefix}-" if prefix else ""
    room = LONGEST - len(before) - 1 - max(map(len, NETWORKS))
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for series in ids:
        name = before + safe_name(series, room)
        if (other := owners.setdefault(name, series)) != series:
            raise SeriesError(
                f"the series {shown(other)} and {shown(series)} would both be published as {name}; give one of them "
                "another id"
            )
        names[series] = name
    return names


def _spelled(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    letter = "".join(part for part in parts if not unicodedata.combining(part))
    if letter and set(letter) <= KEPT:
        return letter
    return _code(character) if unicodedata.category(character)[0] in "LNM" else "-"


def _code(character: str) -> str:
    return f"u{ord(character):x}"
