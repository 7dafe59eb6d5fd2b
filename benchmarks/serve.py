"""`make bench`, `make bench-peers`: the service beside the floor, the ordinary ways and its peers."""

import argparse
import json
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

import httpx

from benchmarks.load import Candidate, Running, Sample, require_tools, running
from benchmarks.peers import PEERS

UVICORN = ["-m", "uvicorn", "--port", "{port}", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
OURS = Candidate("lagcast", ["-m", "service", "--port", "{port}"])
FLOOR = Candidate("bare ASGI echo", [*UVICORN, "--lifespan", "off", "benchmarks.candidates.floor:app"])
ORDINARY = Candidate("FastAPI's ordinary route", [*UVICORN, "benchmarks.candidates.ordinary:app"])
PREDICT = Candidate("FastAPI with model.predict", [*UVICORN, "benchmarks.candidates.keras_predict:app"], many=4)
ROWS = 100_000
BATCH = json.dumps([[float(row % 97 + k) for k in range(5)] for row in range(ROWS)])
COLUMNS = ("rate", "p50", "p99")
JSON = {"Content-Type": "application/json"}


class Goal(NamedTuple):
    """Most CPU time per request, as a share of another candidate's."""

    against: str
    share: float


GOALS = [Goal(FLOOR.name, 1.8), Goal(ORDINARY.name, 0.45), Goal(PREDICT.name, 1 / 300)]
PEER_GOALS = [Goal("KServe", 1 / 5), Goal("MLServer", 1 / 6), Goal("LitServe", 1 / 8), Goal("BentoML", 1 / 10)]


class Turns(NamedTuple):
    """Samples of a candidate by round. alone: with one connection; crowded: with many."""

    server: Running
    alone: list[Sample]
    crowded: list[Sample]


def main() -> None:
    """Measure and print Markdown tables; the exit code is 0 even if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each candidate (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a turn (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="the peers, and nothing else, beside the service")
    arguments = parser.parse_args()
    require_tools()
    if arguments.peers:
        singles([OURS, *PEERS], PEER_GOALS, arguments.rounds, arguments.seconds)
        return
    singles([OURS, FLOOR, ORDINARY, PREDICT], GOALS, arguments.rounds, arguments.seconds)
    batches(arguments.rounds)
    memory()
    workers(arguments.rounds, arguments.seconds)


def singles(candidates: Sequence[Candidate], goals: Sequence[Goal], rounds: int, seconds: int) -> None:
    """Measure one window per request: warm up each candidate, then measure them in turns."""
    with ExitStack() as stack:
        turns = [Turns(stack.enter_context(running(candidate)), [], []) for candidate in candidates]
        for turn in turns:
            turn.server.load(turn.server.candidate.many, seconds)
        for _ in range(rounds):
            for turn in turns:
                turn.alone.append(turn.server.load(1, seconds))
                turn.crowded.append(turn.server.load(turn.server.candidate.many, seconds))
        print_singles(turns)
    print_verdicts(turns, goals)


def print_singles(turns: Sequence[Turns]) -> None:
    """Print one row per candidate: requests/s, p50 and p99 in ms with one connection and with many, CPU with many."""
    print("| one window a request | req/s at 1 | p50 | p99 | req/s at 32 | p50 | p99 | CPU µs | MB | start s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for server, alone, crowded in turns:
        cells = [f"{median(getattr(s, name) for s in side):,.3g}" for side in (alone, crowded) for name in COLUMNS]
        cells += [spread([sample.cpu for sample in crowded]), f"{server.megabytes():.0f}", f"{server.start:.2f}"]
        print(f"| {server.candidate.name} | {' | '.join(cells)} |", flush=True)


def print_verdicts(turns: Sequence[Turns], goals: Sequence[Goal]) -> None:
    """Print one row per goal whose candidate was measured."""
    cpu = {turn.server.candidate.name: [sample.cpu for sample in turn.crowded] for turn in turns}
    print("\n| CPU of a request, lagcast against | goal | measured | verdict |\n|---|---|---|---|")
    for goal in goals:
        if goal.against in cpu:
            ratios = [ours / theirs for ours, theirs in zip(cpu[OURS.name], cpu[goal.against], strict=True)]
            print(f"| {goal.against} | ≤ {goal.share:.3g} | {verdict(ratios, goal.share)} |", flush=True)


def spread(values: Sequence[float]) -> str:
    """Text with the median, the minimum and the maximum."""
    return f"{median(values):,.3g} ({min(values):,.3g} … {max(values):,.3g})"


def verdict(ratios: Sequence[float], most: float) -> str:
    """Text with the median, its spread, and the verdict: pass, short, or unclear if the goal is within the spread."""
    word = (
        "pass" if max(ratios) <= most else "short" if min(ratios) > most else "unclear: the goal is within the spread"
    )
    return f"{spread(ratios)} | {word}"


def batches(rounds: int) -> None:
    """Measure a batch of 100,000 windows as JSON, and the latency of single predictions at the same time."""
    bodies = {OURS: f'{{"windows": {BATCH}}}', ORDINARY: BATCH}
    with ExitStack() as stack:
        servers = {candidate: stack.enter_context(running(candidate)) for candidate in bodies}
        cpu: dict[Candidate, list[float]] = {candidate: [] for candidate in bodies}
        for _ in range(rounds):
            for candidate, body in bodies.items():
                cpu[candidate].append(batch_cpu(servers[candidate], body))
        print(f"\n| a batch of {ROWS:,} windows as JSON | CPU ms | |\n|---|---|---|")
        for candidate, times in cpu.items():
            print(f"| {candidate.name} | {spread(times)} | |")
        ratios = [ours / theirs for ours, theirs in zip(cpu[OURS], cpu[ORDINARY], strict=True)]
        print(f"| ratio, goal ≤ 0.4 | {verdict(ratios, 0.4)} |")
        p99 = p99_beside_batches(servers[OURS], bodies[OURS])
        print(f"| p99 ms of single predictions meanwhile, goal ≤ 50 | {p99:.3g} | |", flush=True)


def batch_cpu(server: Running, body: str, requests: int = 5) -> float:
    """CPU milliseconds of the server per batch, mean of `requests`."""
    before = server.cpu_seconds()
    for _ in range(requests):
        httpx.post(f"{server.url}/predict/lstm/batch", content=body, headers=JSON, timeout=60).raise_for_status()
    return (server.cpu_seconds() - before) / requests * 1e3


def p99_beside_batches(server: Running, body: str) -> float:
    """p99 latency in milliseconds of single windows on eight connections, while one client sends batches."""
    done = threading.Event()

    def send_batches() -> None:
        while not done.is_set():
            batch_cpu(server, body, requests=1)

    sender = threading.Thread(target=send_batches)
    sender.start()
    try:
        return server.load(8, 5).p99
    finally:
        done.set()
        sender.join()


def memory() -> None:
    """Compare resident memory after 1,000,000 requests with that after 10,000, to detect leaks."""
    with running(OURS) as server:
        early = after_requests(server, 10_000, seconds=1)
        late = after_requests(server, 990_000, seconds=5)
    print(f"\n| memory | MB |\n|---|---|\n| after 10,000 requests | {early:.1f} |\n| after 1,000,000 | {late:.1f} |")
    print(f"| ratio, goal ≤ 1.03 | {late / early:.3f} |", flush=True)


def after_requests(server: Running, requests: int, seconds: int) -> float:
    """Resident memory in MiB after at least this number of further requests."""
    sent = 0.0
    while sent < requests:
        sent += server.load(OURS.many, seconds).rate * seconds
    return server.megabytes()


def workers(rounds: int, seconds: int) -> None:
    """Compare requests per second of two workers and one; the load generator shares their two cores."""
    candidates = [Candidate(f"{n} workers", [*OURS.command, "--workers", str(n)], cores="0,1") for n in (1, 2)]
    with ExitStack() as stack:
        one, two = (stack.enter_context(running(candidate)) for candidate in candidates)
        pairs = [(one.load(OURS.many, seconds).rate, two.load(OURS.many, seconds).rate) for _ in range(rounds)]
    print("\n| workers on two cores | req/s |\n|---|---|")
    for label, rates in zip(("one", "two"), zip(*pairs, strict=True), strict=True):
        print(f"| {label} | {spread(rates)} |")
    print(f"| ratio, goal ≥ 1.6 | {spread([both / single for single, both in pairs])} |")


if __name__ == "__main__":
    main()
