"""Text table of the errors by version."""

from typing import Any

from training.data.errors import counted
from training.score.total import Total

COLUMNS = ("version", "mae", "rmse", "mase", "persistence", "seasonal naive", "80 %", "95 %")


def table_of(model: str, answer: dict[str, Any], totals: dict[int, Total]) -> str:
    """A line for each version, the live one first; the version with the smallest error; and skipped versions."""
    live = answer["version"]
    rows = [_row(f"{version}{' live' if version == live else ''}", total) for version, total in totals.items()]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (COLUMNS, *rows)]
    skipped = [f"version {each['version']} is skipped: {each['reason']}" for each in answer["skipped"]]
    count = max(total.actuals for total in totals.values())
    head = (
        f"{model}: {counted(count, 'forecast')} of actual values; mae of the baselines, share inside of the intervals"
    )
    return "\n".join([head, *lines, *_closest(totals), *skipped, ""])


def _row(version: str, total: Total) -> tuple[str, ...]:
    errors = (total.mae(), total.rmse, total.mase, total.mae("persistence"), total.mae("seasonal_naive"))
    shares = (total.coverage("80"), total.coverage("95"))
    return (
        version,
        *("-" if value is None else f"{value:.4g}" for value in errors),
        *("-" if share is None else f"{100 * share:.1f} %" for share in shares),
    )


def _closest(totals: dict[int, Total]) -> list[str]:
    found = {version: mae for version, total in totals.items() if (mae := total.mae()) is not None}
    return [f"version {min(found, key=lambda version: found[version])} is closest"] if len(found) > 1 else []
