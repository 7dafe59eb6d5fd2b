"""Tables and picture of the span experiment."""

from collections import Counter
from typing import Any

import numpy as np

from training.report import pictures
from training.report.names import NAMES
from training.report.section import Cell, Picture, Table, median_range
from training.report.span import NOISE, SERIES, TARGETS, window_of
from training.report.span_results import COMPARISONS, CONTENDERS, TITLES, Case, SpanResults, comparisons_won


def picture(data: SpanResults) -> Picture:
    """Draw RMSE over k, one panel for each target and series."""
    drawn = [name for name in CONTENDERS if name != "mean"]
    panels = {
        (TITLES[series], target): {
            name: np.array([data.of((series, target, span), "rmse", name) for span in data.spans]).T for name in drawn
        }
        for target in TARGETS
        for series in SERIES
    }
    return Picture(
        "spans",
        "RMSE on the held-out rows over k: the line is the median over the seeds, the band their range. "
        "The thin horizontal line is the noise floor.",
        "Nine panels, three targets by three series, with one line for each model over k.",
        pictures.spans(panels, data.spans, NOISE),
    )


def claim_table(data: SpanResults) -> Table:
    """The pairwise comparisons, over k."""
    held = comparisons_won(data)
    rows: list[list[Cell]] = [
        [
            target,
            TITLES[series],
            NAMES[other],
            *(data.ratio((series, target, span), other) for span in data.spans),
            "yes" if (target, other, series) in held else "no",
        ]
        for target, other, series in COMPARISONS
    ]
    spans = tuple(f"k = {span}" for span in data.spans)
    return Table(
        "span-claim",
        "The article's claim: RMSE of the LSTM / RMSE of the other model (means over the seeds; below 1 the LSTM wins)",
        ("target", "series", "other model", *spans, "claim true"),
        rows,
    )


def loss_table(data: SpanResults) -> Table:
    """Counts of wins and losses for each target and series, and the reasons."""
    rows: list[list[Cell]] = []
    for target in TARGETS:
        for series in SERIES:
            verdicts = [data.verdicts[series, target, span] for span in data.spans]
            outcomes = Counter(verdict.outcome for verdict in verdicts)
            reasons = Counter(verdict.why for verdict in verdicts if verdict.why).most_common()
            counts = [str(outcomes[outcome]) for outcome in ("wins", "level", "loses")]
            rows.append([target, TITLES[series], *counts, ", ".join(f"{why} {count}" for why, count in reasons)])
    columns = ("target", "series", "wins", "level", "loses", "reasons")
    return Table("span-losses", "The LSTM against the best other model, over all k", columns, rows)


def errors_table(data: SpanResults, target: str) -> Table:
    """RMSE of all models, for one target."""
    rows: list[list[Cell]] = []
    for series in SERIES:
        for span in data.spans:
            case = (series, target, span)
            floor = float(data.plain(case, "floor").mean())
            scores = [median_range(data.of(case, "rmse", name)) for name in CONTENDERS]
            rows.append([TITLES[series], str(span), floor, *scores])
    names = tuple(NAMES[name] for name in CONTENDERS)
    return Table(
        f"span-{target.replace(' ', '-')}",
        f"{target.capitalize()}: RMSE on the held-out rows, median over {len(data.seeds)} seeds (minimum to maximum); "
        "the lowest of each row is in bold",
        ("series", "k", "noise floor", *names),
        rows,
        frozenset(names),
    )


def cost_table(data: SpanResults, prices: dict[tuple[str, int], dict[str, Any]]) -> Table:
    """Time of training and of a prediction, by window. prices: by model and window."""
    rows: list[list[Cell]] = []
    for (name, window), price in sorted(prices.items(), key=lambda item: item[0][1]):
        # The MLP on the last value has a window of 1, but was trained beside models with longer ones.
        trained_at = max(window, window_of(data.spans[0]))
        seconds, compiling = (data.seconds(name, trained_at, key) for key in ("seconds", "compile_seconds"))
        parameters, microseconds = str(price["parameters"]), float(price["microseconds"])
        rows.append([str(window), NAMES[name], parameters, seconds, compiling, microseconds])
    return Table(
        "cost",
        "Cost: time of one training on one core (median; compiling happens once for each process and window), and of "
        "one prediction of one row (best of several; networks with LiteRT as in the service, linear fit with NumPy)",
        ("window", "model", "parameters", "training, s", "compiling, s", "prediction, µs"),
        rows,
    )


def verdict_table(data: SpanResults) -> Table:
    """One row for each case."""
    rows: list[list[Cell]] = [
        [target, TITLES[series], str(span), verdict.outcome, NAMES[verdict.rival], verdict.ratio, verdict.why or ""]
        for (series, target, span), verdict in data.verdicts.items()
    ]
    columns = ("target", "series", "k", "LSTM", "best other model", "RMSE ratio", "reason")
    return Table("span-verdicts", "The verdict on every case", columns, rows)


def long_table(data: SpanResults) -> Table:
    """One row for each model in each case: everything that the section is made from."""
    rows: list[list[Cell]] = [
        [target, TITLES[series], str(span), NAMES[name], *_scores(data, (series, target, span), name)]
        for series, target, span in data.cases
        for name in CONTENDERS
    ]
    columns = ("target", "series", "k", "model", "RMSE, held-out rows", "over the floor", "RMSE, training rows")
    return Table("span-all", "Every model in every case", columns, rows)


def _scores(data: SpanResults, case: Case, name: str) -> list[Cell]:
    rmse, floor = data.of(case, "rmse", name), data.plain(case, "floor")
    over = median_range(rmse / floor) if floor.min() > 0 else None
    return [median_range(rmse), over, median_range(data.of(case, "trained_rmse", name))]
