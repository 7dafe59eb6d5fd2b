"""`answer_together`: several requests for one model, whose single rows the network forecasts in one run."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from artifact import Batch, BoundOverflow
from service.inference.errors import PredictionOverflow
from service.inference.forecast import Answering, Examined, Floats, Forecast, Response, bounds, examine
from service.inference.loader import LiveModel

Sent = tuple[Floats | None, Any]
"""The ends of the intervals that a request needs next, or its response."""


def answer_together(model: LiveModel, answerings: Sequence[Answering[Response]]) -> list[Response | None]:
    """Responses to requests, the same as `answer` gives to each of them alone, and counted as there.

    None for a request that raises any error: run alone, it raises it again. Raises what the engine raises for the
    single rows, and has counted nothing then.
    """
    asked = [_windows(answering) for answering in answerings]
    single = [windows for windows in asked if windows is not None and len(windows) == 1]
    rows = zip(model.engine.predict_each(single), _outside(model, single), strict=True) if single else iter(())
    found = [None if windows is None else _examine(model, windows, rows) for windows in asked]
    sent = [None if of is None else _send(answering, of[0]) for answering, of in zip(answerings, found, strict=True)]
    for number, ends in _bounds(model, asked, found, sent):
        sent[number] = None if ends is None else _send(answerings[number], ends)
    return [_count(model, *of) for of in zip(found, sent, strict=True)]


def _windows(answering: Answering[Response]) -> Batch | None:
    try:
        windows: Batch = next(answering)
    except Exception:  # noqa: BLE001  # whoever runs it alone gets it again
        return None
    return windows


def _outside(model: LiveModel, single: Sequence[Batch]) -> Sequence[bool | None]:
    """Whether the shape of each of single rows, (1, window), is outside; None where the card has no shapes."""
    shapes = model.card.shapes
    if shapes is None:
        return [None] * len(single)
    outside: list[bool | None] = shapes.outside(np.concatenate(single)).tolist()
    return outside


def _examine(model: LiveModel, windows: Batch, rows: Iterator[tuple[Batch, bool | None]]) -> Examined | None:
    """Check the forecast of a request: for a single row the next of `rows`, with whether its shape is outside."""
    try:
        if len(windows) == 1:
            values, is_outside = next(rows)
            return examine(model, windows, values, is_outside=is_outside)
        return examine(model, windows, model.engine.predict(windows))
    except Exception:  # noqa: BLE001  # as above
        return None


def _send(answering: Answering[Response], found: Forecast | Batch) -> Sent | None:
    """As `send`, without its call: every request comes here once or twice."""
    try:
        return answering.send(found), None
    except StopIteration as end:
        return None, end.value
    except Exception:  # noqa: BLE001  # as above
        return None


def _bounds(
    model: LiveModel, asked: Sequence[Any], found: Sequence[Any], sent: Sequence[Sent | None]
) -> Iterator[tuple[int, Batch | None]]:
    """Bounds by number of the request, computed for all with the same levels at once; None for an overflow.

    asked, found: windows and examined forecast of each request that waits.
    """
    by_levels: dict[int, list[int]] = {}
    for number, result in enumerate(sent):
        if result is not None and result[0] is not None:
            by_levels.setdefault(id(result[0]), []).append(number)
    for numbers in by_levels.values():
        windows, values = [asked[number] for number in numbers], [found[number][0].values for number in numbers]
        ends: Any = sent[numbers[0]]
        yield from zip(numbers, _bounds_each(model, ends[0], windows, values), strict=True)


def _bounds_each(
    model: LiveModel, ends: Floats, windows: Sequence[Batch], values: Sequence[Batch]
) -> Sequence[Batch | None]:
    intervals = model.card.intervals
    if intervals is not None and set(map(len, windows)) == {1}:
        with suppress(BoundOverflow):
            return intervals.bounds_each(ends, windows, values)
    return [_bounds_alone(model, ends, *of) for of in zip(windows, values, strict=True)]


def _bounds_alone(model: LiveModel, ends: Floats, windows: Batch, values: Batch) -> Batch | None:
    try:
        return bounds(model, ends, windows, values)
    except PredictionOverflow:
        return None


def _count(model: LiveModel, found: Examined | None, sent: Sent | None) -> Any:
    """Count a request that has a response. Returns it."""
    if found is None or sent is None:
        return None
    forecast, first_steps = found
    model.tally.add(len(forecast.values), len(forecast.extrapolated), first_steps)
    return sent[1]
