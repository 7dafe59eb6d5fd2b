"""Single predictions: the service beside other servers, and where the time of one goes."""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from benchmarks.load import Candidate, Running, Sample, running
from benchmarks.servers import CONNECTION, FLOOR, MLP, OURS, PARSING
from benchmarks.verdicts import Goal, ratios, row, spread

COLUMNS = ("rate", "p50", "p99")


class Turns(NamedTuple):
    """Samples of a candidate by round. alone: with one connection; crowded: with many."""

    server: Running
    alone: list[Sample]
    crowded: list[Sample]

    def cpu(self) -> list[float]:
        """CPU microseconds per request with many connections, by round."""
        return [sample.cpu for sample in self.crowded]


Measured = dict[str, Turns]


def measure(candidates: Sequence[Candidate], rounds: int, seconds: int) -> Measured:
    """Warm up each candidate, measure them in turns, and print a table of them. Returns the turns by name."""
    with ExitStack() as stack:
        turns = [Turns(stack.enter_context(running(candidate)), [], []) for candidate in candidates]
        for turn in turns:
            turn.server.load(turn.server.candidate.many, seconds)
        for _ in range(rounds):
            for turn in turns:
                turn.alone.append(turn.server.load(1, seconds))
                turn.crowded.append(turn.server.load(turn.server.candidate.many, seconds))
        _print(turns)
    return {turn.server.candidate.name: turn for turn in turns}


def _print(turns: Sequence[Turns]) -> None:
    """Print one row per candidate: requests/s, p50 and p99 in ms with one connection and with many, CPU with many."""
    print("| one window a request | req/s at 1 | p50 | p99 | req/s at 32 | p50 | p99 | CPU µs | MB | start s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for turn in turns:
        sides = (turn.alone, turn.crowded)
        cells = [f"{median(getattr(s, name) for s in side):,.3g}" for side in sides for name in COLUMNS]
        cells += [spread(turn.cpu()), f"{turn.server.megabytes():.0f}", f"{turn.server.start:.2f}"]
        print(f"| {turn.server.candidate.name} | {' | '.join(cells)} |", flush=True)


def print_goals(measured: Measured, goals: Sequence[Goal]) -> None:
    """Print one row per goal whose candidates were measured."""
    print("\n| CPU of a request | must | goal | measured | verdict |\n|---|---|---|---|---|")
    for who, against, must, goal in goals:
        if against in measured:
            found = ratios(measured[who].cpu(), measured[against].cpu())
            print(row(f"{who}, over {against}", found, must, goal), flush=True)


def print_latencies(measured: Measured) -> None:
    """Print p50 and p99 at one connection over those of the echo."""
    print("\n| latency at one connection, over the echo's | must | goal | measured | verdict |\n|---|---|---|---|---|")
    for name, most in (("p50", 1.3), ("p99", 1.5)):
        ours, theirs = ([getattr(s, name) for s in measured[c.name].alone] for c in (OURS, FLOOR))
        print(row(name, ratios(ours, theirs), most, most), flush=True)


def print_stages(measured: Measured) -> None:
    """Print where the CPU time of a request goes: each stage, and what it adds to one that does less."""
    print("\n| where the time goes | CPU µs | added by the stage, µs |\n|---|---|---|")
    print(f"| echo: uvicorn's connection, a task, ASGI messages | {spread(measured[FLOOR.name].cpu())} | |")
    stages = [
        ("connection, fast lane, request id, metrics", CONNECTION, FLOOR),
        ("+ parsing, arrays, answer", PARSING, CONNECTION),
        ("+ LiteRT, LSTM", OURS, PARSING),
        ("+ LiteRT, MLP, instead of the LSTM", MLP, PARSING),
    ]
    for label, more, less in stages:
        cpu = measured[more.name].cpu()
        added = [ours - theirs for ours, theirs in zip(cpu, measured[less.name].cpu(), strict=True)]
        print(f"| {label} | {spread(cpu)} | {spread(added)} |", flush=True)
