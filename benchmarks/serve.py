"""`make bench`, `make bench-peers`: the service beside the floor, the ordinary ways and its peers."""

import argparse
import json
import threading
import time
from contextlib import ExitStack

import httpx

from benchmarks import machine
from benchmarks.load import Candidate, Running, require_tools, running
from benchmarks.peers import PEERS
from benchmarks.servers import CONNECTION, FLOOR, MLP, ORDINARY, OURS, PARSING, PREDICT, V1, V2
from benchmarks.single import measure, print_goals, print_latencies, print_stages
from benchmarks.verdicts import Goal, ratios, row, spread, verdict

ROWS = 100_000
BATCH = json.dumps([[float(number % 97 + k) for k in range(5)] for number in range(ROWS)])
JSON = {"Content-Type": "application/json"}

GOALS = [
    Goal(OURS.name, FLOOR.name, 1.7, 1.4),
    Goal(MLP.name, FLOOR.name, 1.5, 1.2),
    Goal(OURS.name, ORDINARY.name, 0.45, 0.45),
    Goal(V2.name, ORDINARY.name, 1.0, 0.6),
    Goal(V1.name, ORDINARY.name, 1.0, 0.6),
    Goal(OURS.name, PREDICT.name, 1 / 300, 1 / 300),
]
MUST_OF_PEERS = {"KServe": 1 / 8, "MLServer": 1 / 6, "LitServe": 1 / 16, "BentoML": 1 / 18}
PEER_GOALS = [Goal(OURS.name, name, must, must / 2) for name, must in MUST_OF_PEERS.items()]


def main() -> None:
    """Measure and print Markdown tables; the exit code is 0 even if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each candidate (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=1, help="length of a turn (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="the peers, and nothing else, beside the service")
    arguments = parser.parse_args()
    require_tools()
    print(f"{machine.describe()}\n", flush=True)
    if arguments.peers:
        print_goals(measure([OURS, *PEERS], arguments.rounds, arguments.seconds), PEER_GOALS)
        return
    singles(arguments.rounds, arguments.seconds)
    batches(arguments.rounds)
    memory()
    workers(arguments.rounds, arguments.seconds)


def singles(rounds: int, seconds: int) -> None:
    """Measure one window per request, and where its time goes."""
    candidates = [FLOOR, CONNECTION, PARSING, OURS, MLP, V2, V1, ORDINARY, PREDICT]
    measured = measure(candidates, rounds, seconds)
    print_goals(measured, GOALS)
    print_latencies(measured)
    print_stages(measured)


def batches(rounds: int) -> None:
    """Measure a batch of 100,000 windows as JSON, and the latency of single predictions at the same time."""
    bodies = {OURS: f'{{"windows": {BATCH}}}', ORDINARY: BATCH}
    with ExitStack() as stack:
        servers = {candidate: stack.enter_context(running(candidate)) for candidate in bodies}
        cpu: dict[Candidate, list[float]] = {candidate: [] for candidate in bodies}
        parsing: list[float] = []
        for candidate, body in bodies.items():
            batch_cpu(servers[candidate], body)  # the first one starts a process
        for _ in range(rounds):
            for candidate, body in bodies.items():
                cpu[candidate].append(batch_cpu(servers[candidate], body))
            parsing.append(loads_cpu(bodies[OURS]))
        print(f"\n| a batch of {ROWS:,} windows as JSON | CPU ms | |\n|---|---|---|")
        for candidate, times in cpu.items():
            print(f"| {candidate.name} | {spread(times)} | |")
        print(f"| json.loads of the body | {spread(parsing)} | |")
        print(f"| over FastAPI's ordinary route, goal ≤ 0.4 | {verdict(ratios(cpu[OURS], cpu[ORDINARY]), 0.4)} |")
        print("\n| a batch | must | goal | measured | verdict |\n|---|---|---|---|---|")
        print(row("over json.loads of the body", ratios(cpu[OURS], parsing), 0.6, 0.45))
        p99 = p99_beside_batches(servers[OURS], bodies[OURS])
        print(f"| p99 ms of single predictions meanwhile | ≤ 50 | ≤ 50 | {p99:.3g} | |", flush=True)


def batch_cpu(server: Running, body: str, requests: int = 5) -> float:
    """CPU milliseconds of the server per batch, mean of `requests`."""
    before = server.cpu_seconds()
    for _ in range(requests):
        httpx.post(f"{server.url}/predict/lstm/batch", content=body, headers=JSON, timeout=60).raise_for_status()
    return (server.cpu_seconds() - before) / requests * 1e3


def loads_cpu(body: str, times: int = 5) -> float:
    """CPU milliseconds of `json.loads` of a body, mean of `times`."""
    before = time.process_time()
    for _ in range(times):
        json.loads(body)
    return (time.process_time() - before) / times * 1e3


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
    print(f"| ratio, must be ≥ 1.7 | {spread([both / single for single, both in pairs])} |")


if __name__ == "__main__":
    main()
