"""Terminal output: progress on stderr, results as text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from artifact import Metrics, ModelCard

OnEpochs = Callable[[float, float], None]
"""Takes the epochs done so far, and the mean loss since the last call."""

LINES = 10  # without a terminal


@contextmanager
def show_epochs(label: str, epochs: int) -> Iterator[OnEpochs]:
    """Show the progress of one fit on stderr: a bar on a terminal, lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(label, epochs)
        return
    epoch, left = "epoch {task.completed:.0f}/{task.total}", TimeRemainingColumn()
    with Progress("{task.description}", BarColumn(), epoch, "loss {task.fields[loss]}", left, console=console) as bar:
        task = bar.add_task(label, total=epochs, loss="")
        yield lambda done, loss: bar.update(task, completed=done, loss=f"{loss:.3g}")


def _plain_lines(label: str, epochs: int) -> OnEpochs:
    printed = 0
    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def print_line(done: float, loss: float) -> None:
        nonlocal printed
        if done * LINES // epochs > printed:
            printed = int(done * LINES // epochs)
            console.print(f"{label}: epoch {done:.0f}/{epochs}, loss {loss:.3g}")

    return print_line


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
