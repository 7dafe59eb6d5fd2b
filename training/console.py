"""What a run shows: a bar on a terminal, plain lines elsewhere, and its results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from artifact import Metrics, ModelCard

if TYPE_CHECKING:
    from training.fit import Report

LINES = 10


@contextmanager
def shown(label: str, epochs: int) -> "Iterator[Report]":
    """A function that takes the epochs done and the loss, and shows them as long as the context is open."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(label, epochs)
        return
    epoch, left = "epoch {task.completed}/{task.total}", TimeRemainingColumn()
    with Progress("{task.description}", BarColumn(), epoch, "loss {task.fields[loss]}", left, console=console) as bar:
        task = bar.add_task(label, total=epochs, loss="")
        yield lambda done, loss: bar.update(task, completed=done, loss=f"{loss:.3g}")


def _plain_lines(label: str, epochs: int) -> "Report":
    printed = 0
    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def report(done: int, loss: float) -> None:
        nonlocal printed
        if done * LINES // epochs > printed:
            printed = done * LINES // epochs
            console.print(f"{label}: epoch {done}/{epochs}, loss {loss:.3g}")

    return report


@contextmanager
def counted(noun: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function that takes how many of `total` are done, and shows it as long as the context is open."""
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
    """The metrics of a published model beside those of its baselines, as a table."""
    evaluation = card.evaluation
    rows = {"model": evaluation.model, "persistence": evaluation.persistence, "linear": evaluation.linear}
    names = list(Metrics.model_fields)
    lines = [f"{card.name}/{card.version}".ljust(14) + "".join(f"{name:>15}" for name in names)]
    for label, metrics in rows.items():
        values = (getattr(metrics, name) for name in names)
        lines.append(label.ljust(14) + "".join(f"{'-' if value is None else f'{value:.4g}':>15}" for value in values))
    return "\n".join(lines)


def verdict(card: ModelCard) -> str:
    """One line: whether the model beats its baselines on the held-out rows."""
    evaluation = card.evaluation
    label = f"{card.name}/{card.version}"
    if not evaluation.loses_to:
        return f"{label} beats persistence and linear on {evaluation.held_out_rows} held-out rows"
    lost = " and ".join(f"{name} ({getattr(evaluation, name).rmse:.4g})" for name in evaluation.loses_to)
    return f"{label} LOSES to {lost} on {evaluation.held_out_rows} held-out rows, RMSE {evaluation.model.rmse:.4g}"
