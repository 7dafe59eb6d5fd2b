"""Errors in a table: the message has the file, the line, the column, the text, and what to type instead."""

from typing import Any

SHOWN = 40  # maximum number of characters of a cell in a message
LISTED = 10  # maximum number of names in a message


class SeriesError(Exception):
    """A table or series that cannot be trained on; the message says where, what is wrong and how to fix it."""


def shown(text: Any) -> str:
    """The text of a cell in quotes, cut to 40 characters."""
    content = str(text)
    return repr(content if len(content) <= SHOWN else content[: SHOWN - 1] + "…")


def listed(names: list[str]) -> str:
    """At most ten names in quotes, and the number of further ones."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (", ".join(map(shown, names[:LISTED])) or "none") + more


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
