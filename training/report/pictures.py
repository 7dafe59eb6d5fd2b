"""Pictures of the report in SVG, with CSS variables as colours: one file for the light and the dark theme."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.report.names import NAMES
from training.values import Values


class Style(NamedTuple):
    """Style of a line. light, dark: its colour on each theme, chosen to be distinct for the colour-blind too."""

    light: str
    dark: str
    line: str
    marker: str


INK = Style("#333333", "#d8d8d8", "-", "")
STYLES = {
    "lstm": Style("#c2410c", "#ff9257", "-", "o"),
    "combination": Style("#7f1d1d", "#f5a3a3", "--", "*"),
    "tanh_mlp": Style("#0067a8", "#62b5f0", "-", "s"),
    "mlp": Style("#00795c", "#2fd0a5", "--", "^"),
    "mlp_last": Style("#a3457f", "#f0a0cf", ":", "v"),
    "linear": Style("#5b4ba8", "#b3a6ff", "-.", "D"),
    "persistence": Style("#6b6b6b", "#a6a6a6", ":", "x"),
    "mean": Style("#8a6d00", "#d9b93b", ":", "+"),
}
# Matplotlib takes no CSS variables: draw each in a colour of its own, then replace that colour by the variable.
_STAND_INS = {name: f"#0102{k:02x}" for k, name in enumerate(["ink", *STYLES])}
COLOURS = {"ink": INK} | STYLES
SIZES: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.2,
    "lines.markersize": 4,
    "legend.frameon": False,
}


@contextmanager
def _drawing(picture: str) -> Iterator[None]:
    ink = _STAND_INS["ink"]
    parts: tuple[Any, ...] = (
        "text.color",
        "axes.labelcolor",
        "axes.edgecolor",
        "axes.titlecolor",
        "xtick.color",
        "ytick.color",
    )
    # The identifiers in an SVG are hashes: a salt keeps them the same between reports and different between pictures.
    with mpl.rc_context({**SIZES, "svg.hashsalt": picture, "grid.color": ink, **dict.fromkeys(parts, ink)}):
        yield


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'<g id="[\w.]+_\d+">', "<g>", svg)  # numbers, the same in every picture
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)  # hundredths of a point
    for name, stand_in in _STAND_INS.items():
        svg = svg.replace(stand_in, f"var(--{name})")
    return svg


def _line(axes: Axes, name: str, x: Sequence[float] | Values, y: Values) -> None:
    """Plot the median over the seeds, in a band of their range; y: (seeds, points)."""
    style = STYLES[name]
    axes.plot(x, np.median(y, axis=0), color=_STAND_INS[name], ls=style.line, marker=style.marker, label=NAMES[name])
    if len(y) > 1:
        axes.fill_between(x, y.min(axis=0), y.max(axis=0), color=_STAND_INS[name], alpha=0.15, lw=0)


def _legend(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def residuals(panels: Mapping[str, Mapping[str, tuple[Values, Values]]], first_held_out: float) -> str:
    """Plot residuals, to ±3 as in the article. panels[way][network]: y, (rows,), and prediction - y, (seeds, rows)."""
    with _drawing("residuals"):
        ways = list(panels)
        figure = Figure((7.2, 2.1 * len(ways) + 0.5), layout="constrained")
        grid = figure.subplots(len(ways), 2, sharex=True, sharey=True, squeeze=False)
        for way, row in zip(ways, grid, strict=True):
            for (network, (y, errors)), axes in zip(panels[way].items(), row, strict=True):
                _residuals(axes, "lstm" if network == "lstm" else "mlp", y, errors, first_held_out)
                axes.set_title(f"{network.upper()}, {way}", fontsize=10)
            row[0].set_ylabel("prediction - y")
        for axes in grid[-1]:
            axes.set_xlabel("y")
        return _svg(figure)


def _residuals(axes: Axes, colour: str, y: Values, errors: Values, first_held_out: float) -> None:
    axes.plot(y, errors[0], ".", ms=3, color=_STAND_INS[colour])
    axes.fill_between(y, errors.min(axis=0), errors.max(axis=0), color=_STAND_INS[colour], alpha=0.25, lw=0)
    axes.axvspan(first_held_out, y.max() + 1, color=_STAND_INS["ink"], alpha=0.12, lw=0)
    axes.axhline(0, color=_STAND_INS["ink"], lw=0.8)
    axes.set_ylim(-3, 3)


def stopping(epochs: Sequence[int], rmse: Values) -> str:
    """Plot held-out RMSE, (seeds, epochs), over the last epoch of the training."""
    with _drawing("stopping"):
        figure = Figure((7.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for seed, line in enumerate(rmse):
            style = list(STYLES)[seed % len(STYLES)]
            axes.plot(epochs, line, lw=1.2, color=_STAND_INS[style], ls=STYLES[style].line, label=f"seed {seed}")
        axes.set(xlabel="last epoch", ylabel="RMSE, held-out rows", yscale="log")
        _legend(figure, axes, 5)
        return _svg(figure)


def spans(panels: Mapping[tuple[str, str], Mapping[str, Values]], spans: Sequence[int], floor: float) -> str:
    """Plot RMSE over spans, one row for each target. panels[title, target][model]: (seeds, spans); floor: the noise."""
    with _drawing("spans"):
        targets = list(dict.fromkeys(target for _, target in panels))
        figure = Figure((9.6, 2.6 * len(targets) + 0.9), layout="constrained")
        grid = figure.subplots(len(targets), len(panels) // len(targets), sharex=True, sharey="row", squeeze=False)
        for ((title, target), contenders), axes in zip(panels.items(), grid.flat, strict=True):
            for name, rmse in contenders.items():
                _line(axes, name, spans, np.maximum(rmse, 1e-7))
            if target.startswith("noisy"):
                axes.axhline(floor, color=_STAND_INS["ink"], lw=0.8)
            axes.set(xscale="log", yscale="log", title=f"{target}, {title}")
            axes.set_xticks(spans, [str(span) for span in spans])
            axes.minorticks_off()
        for axes in grid[-1]:
            axes.set_xlabel("k, values that the target depends on")
        for row in grid:
            row[0].set_ylabel("RMSE, held-out rows")
        _legend(figure, grid[0, 0], 3)
        return _svg(figure)


def origins(labels: Sequence[str], rmse: Mapping[str, Values]) -> str:
    """Plot RMSE over the origins; rmse[model]: (origins,)."""
    with _drawing("origins"):
        figure = Figure((7.2, 3.6), layout="constrained")
        axes = figure.subplots()
        for name, line in rmse.items():
            _line(axes, name, np.arange(len(line), dtype=float), line[None])
        axes.set_xticks(range(len(labels)), list(labels))
        axes.set(xlabel="rows before the origin", ylabel="RMSE until the next origin")
        axes.set_ylim(bottom=0)
        _legend(figure, axes, 2)
        return _svg(figure)
