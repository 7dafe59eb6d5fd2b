"""Medians with their spread, and what they say about a goal."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Goal(NamedTuple):
    """Most that the CPU time per request of `who` may be as a share of that of `against`, and what is aimed at."""

    who: str
    against: str
    must: float
    goal: float


def spread(values: Sequence[float]) -> str:
    """Text with the median, the minimum and the maximum."""
    return f"{median(values):,.3g} ({min(values):,.3g} … {max(values):,.3g})"


def verdict(ratios: Sequence[float], most: float) -> str:
    """Text with the median, its spread, and the verdict: pass, short, or unclear if the goal is within the spread."""
    word = (
        "pass" if max(ratios) <= most else "short" if min(ratios) > most else "unclear: the goal is within the spread"
    )
    return f"{spread(ratios)} | {word}"


def row(what: str, ratios: Sequence[float], must: float, goal: float) -> str:
    """A row of a table with the columns what, must, goal, measured and verdict on what must be."""
    return f"| {what} | ≤ {must:.3g} | ≤ {goal:.3g} | {verdict(ratios, must)} |"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ratios of two series that were measured in turns."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]
