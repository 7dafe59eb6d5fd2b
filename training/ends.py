"""What a card keeps to draw: the end of the series, and the last held-out rows beside what had been forecast."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from artifact import MAX_FITTED, MAX_TAIL, Batch, HeldOutRow, Tail
from training.data.table import Table
from training.values import Values

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tail_of(values: Values, table: Table | None, window: int) -> Tail:
    """The last MAX_TAIL values after the last gap, or the last `window` where that is more, of the last series.

    values: (n,), of all series of the table, one after the other.
    """
    count = len(values)
    last_start = 0 if table is None else int(table.starts[-1])
    places = np.arange(max(last_start, count - max(window, MAX_TAIL)), count)
    return Tail(
        values=values[places].tolist(),
        targets=None if table is None or table.targets is table.values else table.targets[places].tolist(),
        times=None if table is None else times_at(table, places),
        series=None if table is None or len(table.ids) == 1 else table.ids[int(table.owners[-1])],
    )


def held_out_rows(
    table: Table | None, places: NDArray[np.int64], targets: Values, predictions: Values | Batch
) -> list[HeldOutRow]:
    """The last MAX_FITTED of some held-out rows. All arrays are (rows,).

    places: where in the table their targets are. predictions: of a fit that had not seen these.
    """
    chosen = slice(max(0, len(targets) - MAX_FITTED), None)
    known = None if table is None else times_at(table, places[chosen])
    times: list[str | None] = [None] * len(places[chosen]) if known is None else list(known)
    pairs = zip(times, targets[chosen].tolist(), predictions[chosen].tolist(), strict=True)
    return [HeldOutRow(time=time, target=target, prediction=prediction) for time, target, prediction in pairs]


def times_at(table: Table, places: NDArray[np.int64]) -> list[str] | None:
    """ISO 8601 of the times of some rows: dates alone where all are midnights; None where a series has no dates."""
    if table.times is None or table.unit != "time":
        return None
    zone = table.read.get("time_zone")
    moments = [EPOCH + timedelta(microseconds=tick) for tick in table.times[places].tolist()]
    if not zone:
        local = [moment.replace(tzinfo=None) for moment in moments]
        midnights = all(moment.time() == datetime.min.time() for moment in local)
        return [(moment.date() if midnights else moment).isoformat() for moment in local]
    try:
        named = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return [moment.isoformat().replace("+00:00", "Z") for moment in moments]  # offsets that were in the text
    return [f"{moment.astimezone(named).isoformat()}[{zone}]" for moment in moments]
