"""Terminal output: progress on stderr, results as text."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from artifact import Evaluation, Metrics, ModelCard
from training.evaluate import TIE

OnEpochs = Callable[[float, float], None]
"""Takes the epochs, or steps, of one fit done so far, and the mean loss since the last call."""
StartFit = Callable[[str], OnEpochs]
"""Takes what is fitted on what, "lstm on 95 rows", and gives what to call with the progress of this fit."""

LINES = 10  # for each fit, without a terminal
LINE_SECONDS = 10  # a log that says nothing for longer looks like a process that hangs
# With fewer rows not even a model that is better on every one of them can be told from chance: 1 in 2^4 is over 5 %.
LEAST_HELD_OUT = 5


def show_nothing(_label: str) -> OnEpochs:
    """A StartFit for callers without a terminal or a log."""
    return lambda _done, _loss: None


@contextmanager
def show_reading(path: Path | None) -> Iterator[None]:
    """Say on a terminal that a table is being read, while it is."""
    console = Console(stderr=True)
    if path is None or not console.is_terminal:
        yield
        return
    with console.status(f"reading {path}"):
        yield


@contextmanager
def show_fits(fits: int, epochs: int, unit: str = "epoch") -> Iterator[StartFit]:
    """Show the progress of a run of `fits` fits with `epochs` epochs each, or of another `unit`: a bar on a terminal,
    lines elsewhere.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if not console.is_terminal:
        yield _lines(console, fits, epochs, unit)
        return
    text = ("{task.description}", BarColumn(), "{task.fields[epoch]}", TimeRemainingColumn(), "left")
    with Progress(*text, console=console) as bar:
        yield _bar(bar, fits, epochs, unit)


def _bar(bar: Progress, fits: int, epochs: int, unit: str) -> StartFit:
    task = bar.add_task("", total=fits * epochs, epoch="")
    started = 0

    def start(label: str) -> OnEpochs:
        nonlocal started
        before, started = started, started + 1
        bar.update(task, description=f"fit {started} of {fits}, {label}", completed=before * epochs)
        return lambda done, loss: bar.update(
            task, completed=before * epochs + done, epoch=f"{unit} {done:.0f}/{epochs} loss {loss:.3g}"
        )

    return start


def _lines(console: Console, fits: int, epochs: int, unit: str) -> StartFit:
    began = time.monotonic()
    started = 0

    def start(label: str) -> OnEpochs:
        nonlocal started
        before, started = started, started + 1
        prefix, printed, last = f"fit {started} of {fits}, {label}", 0, time.monotonic()

        def print_line(done: float, loss: float) -> None:
            nonlocal printed, last
            if done * LINES // epochs > printed or time.monotonic() - last >= LINE_SECONDS:
                printed, last = int(done * LINES // epochs), time.monotonic()
                left = (last - began) * (fits * epochs / (before * epochs + done) - 1)
                seconds = timedelta(seconds=round(left))
                console.print(f"{prefix}: {unit} {done:.0f}/{epochs}, loss {loss:.3g}, {seconds} left of the whole run")

        return print_line

    return start


@contextmanager
def show_count(noun: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show on stderr how many of `total` are done: a bar on a terminal, lines elsewhere."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if console.is_terminal:
        text = f"{noun} {{task.completed}}/{{task.total}}"
        with Progress(text, BarColumn(), TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task(noun, total=total)
            yield lambda done: bar.update(task, completed=done)
    else:
        tenths = {-(-total * k // LINES) for k in range(1, LINES + 1)}
        yield lambda done: console.print(f"{noun} {done}/{total}") if done in tenths else None


def table(card: ModelCard) -> str:
    """The metrics of a published model beside those of its baselines, as a table; over several series their means."""
    evaluation = card.evaluation
    rows = {"model": evaluation.model} | _parts(evaluation) | evaluation.baselines
    names = [name for name in Metrics.model_fields if any(getattr(one, name) is not None for one in rows.values())]
    lines = [f"{card.name}/{card.version}".ljust(14) + "".join(f"{name:>15}" for name in names)]
    for label, metrics in rows.items():
        values = (getattr(metrics, name) for name in names)
        lines.append(
            label.replace("_", " ").ljust(14)
            + "".join(f"{'-' if value is None else f'{value:.4g}':>15}" for value in values)
        )
    return "\n".join(lines)


def _parts(evaluation: Evaluation) -> dict[str, Metrics]:
    """The model's metrics at the first and the last step, and their standard deviation over the series."""
    found = {}
    if len(steps := evaluation.steps) > 1:
        found = {"  step 1": steps[0], f"  step {len(steps)}": steps[-1]}
    if evaluation.series > 1 and evaluation.deviation:
        found["  deviation"] = evaluation.deviation
    return found


def verdict(card: ModelCard) -> str:
    """In words: whether the model beats its baselines on the held-out rows, and how true its intervals are."""
    return "\n".join([_comparison(card), *_shares(card.evaluation), *_coverage(card)])


def published_fit(fitted_on: str) -> str:
    """In words: what the published weights of a run have seen (`TrainConfig.fitted_on`), unlike the errors' fits."""
    return f"The published weights are fitted on {fitted_on}; the errors are those of fits without the held-out rows."


def _comparison(card: ModelCard) -> str:
    evaluation = card.evaluation
    label = f"{card.name}/{card.version}"
    rows = f"{evaluation.held_out_rows} held-out row{'s' if evaluation.held_out_rows != 1 else ''}"
    if evaluation.series > 1:
        rows += f" of {evaluation.series} series"
    if evaluation.held_out_rows < LEAST_HELD_OUT:
        flag = "--backtest" if card.config.get("backtest") and not card.config.get("held_out") else "--held-out"
        return f"{label}: {rows}, too few to tell whether it beats persistence and linear; raise {flag}"
    if evaluation.loses_to:
        name = evaluation.criterion
        lost = [f"{_words(one)} ({getattr(evaluation.baselines[one], name):.4g})" for one in evaluation.loses_to]
        return f"{label} LOSES to {_listed(lost)} on {rows}, {name.upper()} {getattr(evaluation.model, name):.4g}"
    return f"{label} {_wins(evaluation)} on {rows}"


def _shares(evaluation: Evaluation) -> list[str]:
    if evaluation.series == 1 or evaluation.better_than_linear is None:
        return []
    return [f"  its MAE is lower than that of linear on {evaluation.better_than_linear:.0%} of the series"]


def _wins(evaluation: Evaluation) -> str:
    of = {name: getattr(metrics, evaluation.criterion) for name, metrics in evaluation.baselines.items()}
    own = getattr(evaluation.model, evaluation.criterion)
    beaten = [name for name, error in of.items() if own < (1 - TIE) * error]
    tied = [name for name in of if name not in beaten]
    words = {"beats": beaten, "ties with": tied}
    return ", ".join(f"{verb} {_listed([_words(name) for name in names])}" for verb, names in words.items() if names)


def _coverage(card: ModelCard) -> list[str]:
    """A line for the intervals, if the recipe makes them."""
    if card.shapes is None:
        return []
    if card.intervals is None:
        return [f"{card.name}/{card.version} has no intervals: too few windows are left to calibrate them on"]
    found = ", ".join(
        f"{one.level:g} % covers {100 * one.share:.1f} % (by chance {100 * one.low:.0f} to {100 * one.high:.0f} %)"
        for one in card.intervals.coverage
    )
    highest = f"levels up to {card.intervals.highest_level:g} %"
    windows = f"from {card.intervals.calibration_windows} windows"
    return [f"  intervals, {highest}, {windows}: {found or 'no level of those that are measured is in reach'}"]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
