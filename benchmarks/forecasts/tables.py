"""Markdown tables, the CSV file and the picture of the forecast benchmark."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Found = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Scores as dictionaries, by frequency and method."""

OVERALL = ("sMAPE", "MASE", "80 %", "95 %", "width 80", "width 95", "CPU s")  # columns over all groups
LINEAR, PAIR, BEST_PEER = "linear, least squares", "pair (LSTM and MLP)", "median of DOT, ETS, CES"

# Names in the picture and where they are put, in points, as the networks are close to each other.
LABELS = {
    "DynamicOptimizedTheta": ("DynamicOptimizedTheta", (-5, -8)),
    "AutoETS": ("AutoETS", (-5, 5)),
    BEST_PEER: ("median of three", (-5, -12)),
    "LSTM": ("LSTM", (-6, -11)),
    "MLP": ("MLP", (-5, -3)),
    PAIR: ("pair", (4, 4)),
    LINEAR: ("linear", (5, 3)),
}


def table(found: Found) -> str:
    """Table with a row per method: sMAPE by group and overall, MASE, coverage and width of intervals, CPU seconds.

    A method without scores in some group has a dash there, and in the columns over all groups.
    """
    heads = [*(f"sMAPE {name}" for name in found), *OVERALL]
    lines = [_row(["method", *heads]), "|---" + "|--:" * len(heads) + "|"]
    for method in _methods(found):
        cells = [f"{np.mean(of[method]['smape']):.2f}" if method in of else "-" for of in found.values()]
        cells += _overall(found, method) if _is_complete(found, method) else ["-"] * len(OVERALL)
        lines.append(_row([method, *cells]))
    return "\n".join(lines)


def _overall(found: Found, method: str) -> list[str]:
    """Cells of the columns OVERALL."""
    cells = [f"{np.mean(_all(found, method, 'smape')):.2f}", f"{np.nanmean(_all(found, method, 'mase')):.3f}"]
    for kind, unit in (("coverage", 100.0), ("width", 1.0)):
        cells += [_mean(found, method, kind, level, unit) for level in ("80", "95")]
    return [*cells, f"{sum(of[method]['seconds'] for of in found.values()):.0f}"]


def groups_table(found: Found) -> str:
    """Table with a row per group: coverage and width of the pair and of AutoETS, and sMAPE of linear and the pair."""
    heads = ["group", "series", "80 %", "95 %", "width 80", "width 95", "AutoETS 80 %", "95 %", "width 80", "width 95"]
    heads += ["better than linear on", "sMAPE of linear", "of the pair"]
    lines = [_row(heads), "|---" + "|--:" * (len(heads) - 1) + "|"]
    for name in found:
        one = {name: found[name]}
        cells = [name, str(len(found[name][PAIR]["smape"]))]
        for method in (PAIR, "AutoETS"):
            for kind, unit in (("coverage", 100.0), ("width", 1.0)):
                cells += [_mean(one, method, kind, level, unit) for level in ("80", "95")]
        pair, linear = (np.array(found[name][method]["smape"]) for method in (PAIR, LINEAR))
        cells += [f"{100 * np.mean(pair < linear):.0f} %", f"{linear.mean():.2f}", f"{pair.mean():.2f}"]
        lines.append(_row(cells))
    return "\n".join(lines)


def details(results: Mapping[str, Found]) -> str:
    """CSV of every column of `table` by competition, group and method; rows of the group "all" are over all groups."""
    heads = ["competition", "group", "series", "method", *OVERALL]
    lines = [heads]
    for competition, found in results.items():
        for group, part in [*((name, {name: of}) for name, of in found.items()), ("all", found)]:
            methods = [method for method in _methods(part) if _is_complete(part, method)]
            series = {method: str(len(_all(part, method, "smape"))) for method in methods}
            lines += [[competition, group, series[method], method, *_overall(part, method)] for method in methods]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(["" if cell == "-" else cell for cell in line] for line in lines)
    return text.getvalue()


def better_than_linear(found: Found) -> float:
    """Share of all series on which the pair's sMAPE is lower than that of the linear baseline."""
    return float(np.mean(np.array(_all(found, PAIR, "smape")) < np.array(_all(found, LINEAR, "smape"))))


def _methods(found: Found) -> list[str]:
    """Every method that has scores in some group, in the order of its first."""
    return list(dict.fromkeys(method for of in found.values() for method in of))


def _is_complete(found: Found, method: str) -> bool:
    return all(method in of for of in found.values())


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _all(found: Found, method: str, metric: str) -> list[float]:
    return [value for of in found.values() for value in of[method][metric]]


def _mean(found: Found, method: str, kind: str, level: str, unit: float) -> str:
    values = [value for of in found.values() for value in of[method][kind].get(level, [])]
    return f"{unit * np.nanmean(values):.{1 if unit > 1 else 2}f}" if values else "-"


def picture(results: Mapping[str, Found], path: Path) -> None:
    """Write an SVG file: mean sMAPE of each method over its CPU seconds, one panel per competition.

    Those of neuralforecast are left out: on an axis that reaches them, the other methods cannot be told apart.
    """
    from matplotlib.figure import Figure

    figure = Figure((11, 4), layout="constrained")
    axes = figure.subplots(1, len(results), squeeze=False)[0]
    for panel, (competition, found) in zip(axes, results.items(), strict=True):
        for method in (method for method in _methods(found) if not method.startswith("neuralforecast")):
            seconds = max(sum(of[method]["seconds"] for of in found.values()), 0.1)
            smape = float(np.mean(_all(found, method, "smape")))
            ours = method in (PAIR, "LSTM", "MLP")
            panel.plot(seconds, smape, "o" if ours else "s", color="#0a6" if ours else "#888")
            label, place = LABELS.get(method, (method, (5, 3)))
            right = {"ha": "right"} if place[0] < 0 else {}
            panel.annotate(label, (seconds, smape), fontsize=7, xytext=place, textcoords="offset points", **right)
        panel.margins(x=0.2, y=0.12)
        panel.set(xscale="log", xlabel="CPU seconds", title=competition)
    axes[0].set_ylabel("mean sMAPE, lower is better")
    figure.savefig(path, format="svg", metadata={"Date": None})
