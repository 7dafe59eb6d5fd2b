"""The span experiment's tables and its picture."""

from collections import Counter
from typing import Any

import numpy as np

from training.report import pictures
from training.report.names import NAMES
from training.report.section import Cell, Picture, Table, median_range
from training.report.span import NOISE, SERIES, TARGETS, window_of
from training.report.span_results import CONTENDERS, DUELS, TITLES, Case, SpanResults, duels_won


def picture(data: SpanResults) -> Picture:
    """RMSE over k, a panel for each target and series."""
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
        "RMSE on the held-out rows over k: median of the seeds, within a band from the least to the most. "
        "The thin level line is the noise, which nobody can be better than.",
        "Nine panels, three targets by three series, with a line for each contender over k.",
        pictures.spans(panels, data.spans, NOISE),
    )


def claim_table(data: SpanResults) -> Table:
    """The duels, over k."""
    held = duels_won(data)
    rows: list[list[Cell]] = [
        [
            target,
            TITLES[series],
            NAMES[other],
            *(data.ratio((series, target, span), other) for span in data.spans),
            "yes" if (target, other, series) in held else "no",
        ]
        for target, other, series in DUELS
    ]
    spans = tuple(f"k = {span}" for span in data.spans)
    return Table(
        "span-claim",
        "The article's claim: the LSTM's RMSE over the other's (means over the seeds; under 1 the LSTM is better)",
        ("target", "series", "against", *spans, "the claim holds"),
        rows,
    )


def loss_table(data: SpanResults) -> Table:
    """Where, for each target and series, and why."""
    rows: list[list[Cell]] = []
    for target in TARGETS:
        for series in SERIES:
            verdicts = [data.verdicts[series, target, span] for span in data.spans]
            outcomes = Counter(verdict.outcome for verdict in verdicts)
            reasons = Counter(verdict.why for verdict in verdicts if verdict.why).most_common()
            counts = [str(outcomes[outcome]) for outcome in ("wins", "level", "loses")]
            rows.append([target, TITLES[series], *counts, ", ".join(f"{why} {count}" for why, count in reasons)])
    columns = ("target", "series", "wins", "level", "loses", "because it")
    return Table("span-losses", "How the LSTM fares against the best of the others, over all k", columns, rows)


def errors_table(data: SpanResults, target: str) -> Table:
    """The contenders side by side, for one target."""
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
        f"{target.capitalize()}: RMSE on the held-out rows, median over {len(data.seeds)} seeds (least to most); the "
        "least of each row is marked",
        ("series", "k", "noise floor", *names),
        rows,
        frozenset(names),
    )


def cost_table(data: SpanResults, prices: dict[tuple[str, int], dict[str, Any]]) -> Table:
    """Training and prediction, by window; prices: by contender and window."""
    rows: list[list[Cell]] = []
    for (name, window), price in sorted(prices.items(), key=lambda item: item[0][1]):
        # What sees one value does so whatever the windows of the others are.
        trained_at = max(window, window_of(data.spans[0]))
        seconds, compiling = (data.seconds(name, trained_at, key) for key in ("seconds", "compile_seconds"))
        parameters, microseconds = str(price["parameters"]), float(price["microseconds"])
        rows.append([str(window), NAMES[name], parameters, seconds, compiling, microseconds])
    return Table(
        "cost",
        "What it costs: one training on one core (median; compiling is once a process and window), and one prediction "
        "of one row (best of some; networks with LiteRT, as the service runs them, the linear fit with NumPy)",
        ("window", "contender", "parameters", "training, s", "compiling, s", "prediction, µs"),
        rows,
    )


def verdict_table(data: SpanResults) -> Table:
    """A row a case."""
    rows: list[list[Cell]] = [
        [target, TITLES[series], str(span), verdict.outcome, NAMES[verdict.rival], verdict.ratio, verdict.why or ""]
        for (series, target, span), verdict in data.verdicts.items()
    ]
    columns = ("target", "series", "k", "the LSTM", "best of the others", "RMSE, LSTM over it", "because it")
    return Table("span-verdicts", "Every case, judged", columns, rows)


def long_table(data: SpanResults) -> Table:
    """A row a contender in each case: all that the page says is in it."""
    rows: list[list[Cell]] = [
        [target, TITLES[series], str(span), NAMES[name], *_scores(data, (series, target, span), name)]
        for series, target, span in data.cases
        for name in CONTENDERS
    ]
    columns = ("target", "series", "k", "contender", "RMSE, held-out rows", "over the floor", "RMSE, trained rows")
    return Table("span-all", "Every contender in every case", columns, rows)


def _scores(data: SpanResults, case: Case, name: str) -> list[Cell]:
    rmse, floor = data.of(case, "rmse", name), data.plain(case, "floor")
    over = median_range(rmse / floor) if floor.min() > 0 else None
    return [median_range(rmse), over, median_range(data.of(case, "trained_rmse", name))]
