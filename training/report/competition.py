"""The section on the M3 competition: LSTM and MLP on 3,003 series, from the results of `make bench-forecast`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from training.report.section import Cell, Section, Table

FOLDER = "forecasts"  # in the report's folder, where `make bench-forecast` keeps its results
GROUPS = ("yearly", "quarterly", "monthly", "other")
LONGEST = "monthly"  # of the groups, the one with the longest windows
LSTM, MLP, LINEAR = "LSTM", "MLP", "linear, least squares"
NOTE = """\
Both are trained by the combination recipe, one network of each kind for all series of a group: they see the same \
windows, scaled by themselves, and weight the same forecasts of standard methods."""
TITLE = "LSTM and MLP on the 3,003 series of the M3 competition"
TIE = 0.005  # of the sMAPE: less is less than what another seed changes


def competition_section(out: Path) -> Section:
    """What the article's comparison of LSTM and MLP becomes on many series, trained by the combination recipe."""
    found = {group: scores for group in GROUPS if (scores := _scores(out / FOLDER, group))}
    if len(found) < len(GROUPS):
        return Section(TITLE, "Left out: `make bench-forecast`, which takes some minutes, has not been run here.")
    of = {name: np.concatenate([scores[name] for scores in found.values()]) for name in (LSTM, MLP, LINEAR)}
    lstm, mlp, linear = (float(of[name].mean()) for name in (LSTM, MLP, LINEAR))
    share = float(np.mean(of[LSTM] < of[MLP]))
    return Section(
        TITLE,
        f"{_verdict(lstm, mlp)}: mean sMAPE {lstm:.2f} for the LSTM, {mlp:.2f} for the MLP, {linear:.2f} for least "
        f"squares; the LSTM is better than the MLP on {share:.0%} of the series.",
        findings=[_claim(found)],
        notes=[NOTE],
        tables=[_table(found)],
    )


def _scores(folder: Path, group: str) -> dict[str, Any]:
    """SMAPE of each series by method, or nothing where the benchmark has not been run."""
    try:
        kept = json.loads((folder / f"M3-{group}-networks-0.json").read_text())
        return {name: np.array(kept[name]["smape"]) for name in (LSTM, MLP, LINEAR)}
    except (OSError, ValueError, LookupError):
        return {}


def _verdict(lstm: float, mlp: float) -> str:
    if abs(lstm - mlp) < TIE * mlp:
        return "Neither network is better"
    return "The LSTM is ahead of the MLP" if lstm < mlp else "The MLP is ahead of the LSTM"


def _claim(found: dict[str, dict[str, Any]]) -> str:
    """What the article claims, on the group with the longest windows: four years of months."""
    lstm, mlp = (float(found[LONGEST][name].mean()) for name in (LSTM, MLP))
    true = "true" if lstm < (1 - TIE) * mlp else "not true"
    return (
        f"The article claims that the LSTM performs best on long spans. On M3 that is {true}: the {LONGEST} series "
        f"have the longest windows, and there the sMAPE is {lstm:.2f} for the LSTM, {mlp:.2f} for the MLP."
    )


def _table(found: dict[str, dict[str, Any]]) -> Table:
    rows: list[list[Cell]] = [
        [group, str(len(scores[LSTM])), *(float(scores[name].mean()) for name in (LSTM, MLP, LINEAR))]
        for group, scores in found.items()
    ]
    names = (LSTM, MLP, LINEAR)
    return Table("m3", "Mean sMAPE by group", ("group", "series", *names), rows, frozenset(names))
