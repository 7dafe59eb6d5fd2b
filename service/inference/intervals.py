"""`forecast_with_intervals`: forecasts and their prediction intervals at the levels that a request asks for."""

from collections.abc import Sequence

from artifact import Batch, UnreachableLevel
from service.inference.errors import BadInput, LevelOutOfReach
from service.inference.forecast import Answering, Forecast, answer
from service.inference.loader import LiveModel

MAX_BOUNDS = 5_000_000  # 100,000 rows of 12 steps with 2 levels: 20 MB, and 50 MB as JSON


def forecast_with_intervals(model: LiveModel, windows: Batch, levels: Sequence[float]) -> tuple[Forecast, Batch]:
    """Forecast windows, (rows, window), and count them. Returns and raises what `with_intervals` does.

    Raises PredictionOverflow, for a bound too.
    """
    return answer(model, with_intervals(model, windows, levels))


def with_intervals(model: LiveModel, windows: Batch, levels: Sequence[float]) -> Answering[tuple[Forecast, Batch]]:
    """The forecast of windows, (rows, window), and the lower and upper ends of intervals, (2, levels, rows, steps).

    levels: 0 < level < 100, in the order of the answer.
    Raises LevelOutOfReach, or BadInput for more bounds than an answer may have, before anything is forecast.
    """
    intervals = model.card.intervals
    if intervals is None:
        raise LevelOutOfReach(0, f"{model.card.name} has no prediction intervals; ask without levels")
    count = 2 * len(levels) * len(windows) * model.card.steps
    if count > MAX_BOUNDS:
        raise BadInput(
            f"The intervals would have {count} numbers, more than {MAX_BOUNDS}; ask for fewer rows or levels"
        )
    try:
        ends = intervals.ends(levels)
    except UnreachableLevel as error:
        raise LevelOutOfReach(levels.index(error.level), f"{model.card.name}: {error}") from None
    found = yield windows
    return found, (yield ends)
