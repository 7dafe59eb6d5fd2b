"""Sections on single series, evaluated by rolling origin: a user's own, or one with published results."""

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
    """A user's series, with one sentence of advice as its lead."""
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
    ahead = {0: "at the window's end", 1: "one row ahead"}.get(run.source.horizon, f"{run.source.horizon} rows ahead")
    budget = run.budget
    return (
        f"Rolling origin: at each of {len(rolled.cuts)} origins every contender is fitted on all the rows known by "
        f"then and asked for those up to the next one, {len(rolled.targets)} rows in all, {ahead}, with windows of "
        f"{run.source.window}; the networks with {len(rolled.seeds)} seeds, each {budget.steps} steps of "
        f"{budget.batch_size} rows. To beat is to have an RMSE that is smaller by over {GAIN:.0%}, and not by chance: "
        f"by the test of Diebold and Mariano at {LEVEL:.0%}; a costlier contender is advised only where it "
        "beats the cheaper one."
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
        f"{label}: errors over all {len(rolled.cuts)} origins, median over {len(rolled.seeds)} seeds (least to most), "
        "the best first",
        ("contender", "RMSE", "MAE", "training, s"),
        rows,
    )


def _origins_table(rolled: RollingResults, name: str) -> Table:
    names = tuple(NAMES[contender] for contender in rolled.contenders)
    scores = [rolled.rmse_by_origin(contender) for contender in rolled.contenders]
    rows: list[list[Cell]] = [
        [str(cut), str(rolled.blocks[k]), *(float(score[k]) for score in scores)] for k, cut in enumerate(rolled.cuts)
    ]
    caption = "RMSE from each origin to the next, over all seeds; the least of each row is marked"
    return Table(f"{name}-origins", caption, ("rows known", "rows asked for", *names), rows, frozenset(names))


def _picture(rolled: RollingResults, name: str) -> Picture:
    drawn = [contender for contender in rolled.contenders if contender in pictures.STYLES]
    return Picture(
        f"{name}-origins",
        "RMSE from each origin to the next, over all seeds.",
        "A line for each contender over the origins; the same numbers are in the table.",
        pictures.origins(
            [str(cut) for cut in rolled.cuts], {contender: rolled.rmse_by_origin(contender) for contender in drawn}
        ),
    )


def shampoo_section(runs: Sequence[RollingRun], results: Sequence[dict[str, Any]]) -> Section:
    """Shampoo sales, and whether persistence has the RMSE that it is known to have."""
    title = "A known result: shampoo sales"
    if not runs:
        return Section(title, "Left out: sktime, which brings the data, is not installed.")
    rolled = RollingResults(runs, results)
    ours = float(rolled.rmse("persistence")[0])
    agrees = "agrees" if round(ours, 3) == SHAMPOO_PERSISTENCE else "DOES NOT AGREE"
    return Section(
        title,
        f"Persistence on the last {SHAMPOO_MONTHS} months has RMSE {ours:.3f} here and {SHAMPOO_PERSISTENCE} in the "
        f"public tutorials: it {agrees}.",
        findings=[f"The advice for this series: {advise(rolled)}"],
        notes=[f"{_method(rolled, runs[0])} Walk-forward, as in the tutorials: an origin each month."],
        tables=[_table(rolled, results, "shampoo", "Shampoo sales")],
    )


def sunspots_section(runs: Sequence[RollingRun], results: Sequence[dict[str, Any]]) -> Section:
    """Yearly sunspots, and whether our least squares is statsmodels' AutoReg."""
    title = "A known result: yearly sunspots"
    if not runs:
        return Section(title, "Left out: statsmodels, which brings the data and AutoReg, is not installed.")
    rolled = RollingResults(runs, results)
    apart = float(np.abs(rolled.errors("linear") - rolled.errors("autoreg")).max())
    theirs, ours = (float(rolled.rmse(name)[0]) for name in ("autoreg", "linear"))
    return Section(
        title,
        f"statsmodels' AutoReg({SUNSPOT_LAGS}) has RMSE {number(theirs)}, linear least squares here {number(ours)}; "
        f"no two predictions are further than {apart:.1g} apart.",
        findings=[f"The advice for this series: {advise(rolled)}"],
        notes=[_method(rolled, runs[0])],
        pictures=[_picture(rolled, "sunspots")],
        tables=[_table(rolled, results, "sunspots", "Yearly sunspots"), _origins_table(rolled, "sunspots")],
    )
