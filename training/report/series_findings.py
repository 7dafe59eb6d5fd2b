"""Report sections on single series, evaluated by rolling origin: a user's series, and two with published results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.report import pictures
from training.report.advice import GAIN, LEVEL, advise
from training.report.names import NAMES
from training.report.public_series import SHAMPOO_MONTHS, SHAMPOO_PERSISTENCE, SUNSPOT_LAGS
from training.report.rolling import RollingResults, RollingRun
from training.report.section import Cell, Picture, Section, Table, median_range, number


def series_section(runs: Sequence[RollingRun], results: Sequence[dict[str, Any]]) -> Section:
    """Make the section on a user's series; its lead is one sentence of advice."""
    source = runs[0].source
    rolled = RollingResults(runs, results)
    of = f" → {source.target}" if source.target else ""
    return Section(
        title=f"{Path(source.data).name}, {source.column}{of}",
        lead=advise(rolled),
        notes=[_method(rolled, runs[0])],
        pictures=[_picture(rolled, "series")],
        tables=[_table(rolled, results, "series", "This series"), _origins_table(rolled, "series")],
    )


def _method(rolled: RollingResults, run: RollingRun) -> str:
    ahead = {0: "the window's last row", 1: "one row ahead"}.get(run.source.horizon, f"{run.source.horizon} rows ahead")
    budget = run.budget
    return (
        f"Rolling origin: at each of {len(rolled.cuts)} origins every model is fitted on all rows before the origin "
        f"and predicts the rows up to the next one, {len(rolled.targets)} rows in all. Target: {ahead}. Window: "
        f"{run.source.window} values. Each network is trained with {len(rolled.seeds)} seeds, for {budget.steps} steps "
        f"of {budget.batch_size} rows. A model beats another if its RMSE is smaller by more than {GAIN:.0%} and the "
        f"difference is significant (Diebold-Mariano test, {LEVEL:.0%} level). A costlier model is recommended only "
        "if it beats the cheaper one."
    )


def _table(rolled: RollingResults, results: Sequence[dict[str, Any]], name: str, label: str) -> Table:
    rows: list[list[Cell]] = []
    for contender in sorted(rolled.contenders, key=lambda contender: float(rolled.losses(contender).mean())):
        seconds = [result["seconds"].get(contender) for result in results]
        known = [value for value in seconds if value is not None]
        mae = median_range(np.abs(rolled.errors(contender)).mean(axis=1))
        took = float(np.median(known)) if known else None
        rows.append([NAMES[contender], median_range(rolled.rmse(contender)), mae, took])
    return Table(
        name,
        f"{label}: errors over all {len(rolled.cuts)} origins, median over {len(rolled.seeds)} seeds (minimum to "
        "maximum), best first",
        ("model", "RMSE", "MAE", "training, s"),
        rows,
    )


def _origins_table(rolled: RollingResults, name: str) -> Table:
    names = tuple(NAMES[contender] for contender in rolled.contenders)
    scores = [rolled.rmse_by_origin(contender) for contender in rolled.contenders]
    rows: list[list[Cell]] = [
        [str(cut), str(rolled.blocks[k]), *(float(score[k]) for score in scores)] for k, cut in enumerate(rolled.cuts)
    ]
    caption = "RMSE from each origin to the next, over all seeds; the lowest of each row is in bold"
    return Table(f"{name}-origins", caption, ("rows fitted on", "rows predicted", *names), rows, frozenset(names))


def _picture(rolled: RollingResults, name: str) -> Picture:
    drawn = [contender for contender in rolled.contenders if contender in pictures.STYLES]
    return Picture(
        f"{name}-origins",
        "RMSE from each origin to the next, over all seeds.",
        "One line for each model over the origins; the table below has the same numbers.",
        pictures.origins(
            [str(cut) for cut in rolled.cuts], {contender: rolled.rmse_by_origin(contender) for contender in drawn}
        ),
    )


def shampoo_section(runs: Sequence[RollingRun], results: Sequence[dict[str, Any]]) -> Section:
    """Make the section on shampoo sales: whether the RMSE of persistence equals the published one."""
    title = "A known result: shampoo sales"
    if not runs:
        return Section(title, "Skipped: sktime, which has the data, is not installed.")
    rolled = RollingResults(runs, results)
    ours = float(rolled.rmse("persistence")[0])
    agrees = "agrees" if round(ours, 3) == SHAMPOO_PERSISTENCE else "DOES NOT AGREE"
    return Section(
        title,
        f"The RMSE of persistence on the last {SHAMPOO_MONTHS} months is {ours:.3f} here and {SHAMPOO_PERSISTENCE} in "
        f"the public tutorials: it {agrees}.",
        findings=[f"Advice for this series: {advise(rolled)}"],
        notes=[f"{_method(rolled, runs[0])} Walk-forward, as in the tutorials: one origin a month."],
        tables=[_table(rolled, results, "shampoo", "Shampoo sales")],
    )


def sunspots_section(runs: Sequence[RollingRun], results: Sequence[dict[str, Any]]) -> Section:
    """Make the section on yearly sunspots: whether our least squares agrees with statsmodels' AutoReg."""
    title = "A known result: yearly sunspots"
    if not runs:
        return Section(title, "Skipped: statsmodels, which has the data and AutoReg, is not installed.")
    rolled = RollingResults(runs, results)
    apart = float(np.abs(rolled.errors("linear") - rolled.errors("autoreg")).max())
    theirs, ours = (float(rolled.rmse(name)[0]) for name in ("autoreg", "linear"))
    return Section(
        title,
        f"The RMSE is {number(theirs)} for statsmodels' AutoReg({SUNSPOT_LAGS}) and {number(ours)} for linear least "
        f"squares here; no two predictions differ by more than {apart:.1g}.",
        findings=[f"Advice for this series: {advise(rolled)}"],
        notes=[_method(rolled, runs[0])],
        pictures=[_picture(rolled, "sunspots")],
        tables=[_table(rolled, results, "sunspots", "Yearly sunspots"), _origins_table(rolled, "sunspots")],
    )
