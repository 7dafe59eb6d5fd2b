"""`answer_together`: several requests for one model, whose single rows the network forecasts in one run."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from artifact import Batch, BoundOverflow
from service.inference.errors import PredictionOverflow
from service.inference.forecast import Answering, Examined, Floats, Forecast, Response, bounds, examine, send
from service.inference.loader import LiveModel

Sent = tuple[Floats | None, Any]
"""The ends of the intervals that a request needs next, or its response."""


class _Waiting(NamedTuple):
    """A request, by its number, that waits for the bounds of its intervals."""

    number: int
    ends: Floats
    windows: Batch
    values: Batch


def answer_together(model: LiveModel, answerings: Sequence[Answering[Response]]) -> list[Response | None]:
    """Responses to requests, the same as `answer` gives to each of them alone, and counted as there.

    None for a request that raises any error: run alone, it raises it again. Raises what the engine raises for the
    single rows, and has counted nothing then.
    """
    asked = [_windows(answering) for answering in answerings]
    single = [windows for windows in asked if windows is not None and len(windows) == 1]
    values = iter(model.engine.predict_each(single) if single else ())
    found = [None if windows is None else _examine(model, windows, values) for windows in asked]
    sent = [None if of is None else _send(answering, of[0]) for answering, of in zip(answerings, found, strict=True)]
    for number, ends in _bounds(model, list(_waiting(asked, found, sent))):
        sent[number] = None if ends is None else _send(answerings[number], ends)
    return [_count(model, *of) for of in zip(found, sent, strict=True)]


def _windows(answering: Answering[Response]) -> Batch | None:
    try:
        windows: Batch = next(answering)
    except Exception:  # noqa: BLE001  # whoever runs it alone gets it again
        return None
    return windows


def _examine(model: LiveModel, windows: Batch, values: Iterator[Batch]) -> Examined | None:
    """Check the forecast of a request: for a single row the next one of `values`."""
    try:
        return examine(model, windows, next(values) if len(windows) == 1 else model.engine.predict(windows))
    except Exception:  # noqa: BLE001  # as above
        return None


def _send(answering: Answering[Response], found: Forecast | Batch) -> Sent | None:
    try:
        return send(answering, found)
    except Exception:  # noqa: BLE001  # as above
        return None


def _waiting(
    asked: Sequence[Batch | None], found: Sequence[Examined | None], sent: Sequence[Sent | None]
) -> Iterator[_Waiting]:
    for number, result in enumerate(sent):
        if result is not None and result[0] is not None:
            windows, examined = asked[number], found[number]
            if windows is not None and examined is not None:
                yield _Waiting(number, result[0], windows, examined[0].values)


def _bounds(model: LiveModel, waiting: Sequence[_Waiting]) -> Iterator[tuple[int, Batch | None]]:
    """The bounds by number of the request, of all requests for the same levels together; None for an overflow."""
    by_levels: dict[int, list[_Waiting]] = {}
    for of in waiting:
        by_levels.setdefault(id(of.ends), []).append(of)
    for alike in by_levels.values():
        yield from zip([of.number for of in alike], _bounds_each(model, alike), strict=True)


def _bounds_each(model: LiveModel, alike: Sequence[_Waiting]) -> Sequence[Batch | None]:
    _, ends, windows, values = zip(*alike, strict=True)
    intervals = model.card.intervals
    if intervals is not None and set(map(len, windows)) == {1}:
        with suppress(BoundOverflow):
            return intervals.bounds_each(ends[0], windows, values)
    return [_bounds_alone(model, of.ends, of.windows, of.values) for of in alike]


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
