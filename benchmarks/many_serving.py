"""`make bench-many`: 10,000 models in one worker: start, memory, cold and warm requests, churn, and publishing."""

import argparse
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import psutil

from benchmarks.load import CHECKOUT, MEGABYTE
from benchmarks.many.models import Model, Repository

LOADED = 1000  # the default of LAGCAST_MAX_LOADED
STEADY_RATE, COLD_RATE = 200, 50  # requests a second
SECONDS = 10.0
ROUNDS = 5
SHIPPED = CHECKOUT / "tests" / "data" / "schema_1"


class Row(NamedTuple):
    """A line of the table: what was measured, its value as text, and what it must be."""

    name: str
    value: str
    must: str


class Client:
    """One connection; checks that each answer is that of its model."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, model: Model) -> float:
        """Ask a model. Returns the seconds that it took. Raises ValueError for an answer that is not its own."""
        content = json.dumps(model.content)
        begin = time.perf_counter()
        self._connection.request("POST", f"/predict/{model.name}", content, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - begin
        found = json.loads(answer)
        is_own = response.status == http.HTTPStatus.OK and found["model"] == model.name
        if not is_own or abs(found["prediction"] - model.prediction) > 1e-5 * abs(model.prediction):
            raise ValueError(f"{model.name}: {response.status} {answer!r} where {model.prediction} was right")
        return seconds


class Service(NamedTuple):
    """A running service."""

    process: psutil.Popen
    port: int

    def cpu(self) -> float:
        """CPU seconds so far, of the service and of its self-test process."""
        times = [process.cpu_times() for process in [self.process, *self.process.children(recursive=True)]]
        return float(sum(of.user + of.system for of in times))

    def megabytes(self) -> float:
        """Resident memory of the worker in MiB."""
        return float(self.process.memory_info().rss) / MEGABYTE


def main(arguments: Sequence[str]) -> None:
    """Make the repository, measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_serving", description=__doc__)
    parser.add_argument("--models", type=int, default=10_000, help="models in the repository (default: 10000)")
    parser.add_argument("--requests", type=int, default=200_000, help="requests at random (default: 200000)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lagcast-many-") as folder:
        repository = Repository(Path(folder), SHIPPED)
        models = list(repository.pairs(options.models // 2))
        random.Random(1).shuffle(models)  # noqa: S311  # the same order each time
        print(f"{len(models)} models, one worker; load {os.getloadavg()[0]:.1f} at the start\n")
        print("| | measured | must |\n|---|---|---|")
        for row in measure(repository, models, options.requests):
            print(f"| {row.name} | {row.value} | {row.must} |", flush=True)
        print(f"\nload {os.getloadavg()[0]:.1f} at the end")


def measure(repository: Repository, models: list[Model], requests: int) -> Iterator[Row]:
    """The rows of the table, in its order."""
    begin = time.perf_counter()
    with running(repository.folder, models[0]) as service:
        client = Client(service.port)
        yield Row("start to first answer", f"{time.perf_counter() - begin:.2f} s", "≤ 2 s")
        yield Row("resident, nothing loaded", f"{service.megabytes():.0f} MB", "≤ 120 MB")
        yield Row("idle CPU, nothing loaded", idle(service), "≤ 2 %")
        cold = [1e3 * client.ask(model) for model in models[1:LOADED]]
        yield Row("cold first answer, p50 / p99", f"{median(cold):.1f} / {p99(cold):.1f} ms", "≤ 5 / 25 ms")
        yield Row(f"resident, {LOADED} loaded", f"{service.megabytes():.0f} MB", "≤ 400 MB")
        yield Row(f"idle CPU, {LOADED} loaded", idle(service), "≤ 2 %")
        yield Row("CPU of warm requests, spread / one model", spread(service, client, models[:LOADED]), "≤ 1.15")
        yield Row("p99 of warm requests during cold loads / steady", warm(service, models), "≤ 2")
        yield churn(service, models, requests)
        yield Row("publish of one → live", published(repository, Client(service.port), models[0]), "≤ 2 s")


@contextmanager
def running(models_dir: Path, first: Model) -> Iterator[Service]:
    """Start a service and wait for the answer of a model."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "service", "--port", str(port), "--models-dir", str(models_dir)]
    environment = os.environ | {"LAGCAST_DRAIN_SECONDS": "0"}
    process = psutil.Popen(command, cwd=CHECKOUT, env=environment, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                Client(port).ask(first)
                break
            except OSError:
                time.sleep(0.005)
        else:
            raise RuntimeError(f"the service ended with exit code {process.returncode}")
        yield Service(process, port)
    finally:
        process.terminate()
        process.wait(60)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return quantiles(values, n=100)[98]


def idle(service: Service) -> str:
    """CPU of a service without requests, in percent of a core."""
    time.sleep(4)  # the folders that have just been written are read again until then
    before = service.cpu()
    time.sleep(SECONDS)
    return f"{100 * (service.cpu() - before) / SECONDS:.1f} %"


def spread(service: Service, client: Client, models: Sequence[Model]) -> str:
    """CPU of requests to all models over that of as many to one pair of them, in turns; the median."""
    ratios = []
    pair = [next(model for model in models if model.name.endswith(kind)) for kind in ("lstm", "mlp")]
    lstm = [model for model in models if model.name.endswith("lstm")]
    mlp = [model for model in models if model.name.endswith("mlp")]
    mixed = [model for both in zip(lstm, mlp, strict=False) for model in both]
    for _ in range(ROUNDS):
        costs = []
        for asked in (pair * (len(mixed) // 2), mixed):
            before = service.cpu()
            for model in asked * 3:
                client.ask(model)
            costs.append(service.cpu() - before)
        ratios.append(costs[1] / costs[0])
    return f"{median(ratios):.2f}"


def warm(service: Service, models: Sequence[Model]) -> str:
    """p99 of requests to loaded models while others are loaded at a rate, over the p99 without; medians of rounds."""
    hot, cold = models[1:101], int(COLD_RATE * SECONDS / ROUNDS)
    steady, disturbed = [], []
    for first in range(LOADED, LOADED + ROUNDS * cold, cold):
        steady.append(paced(service, hot, STEADY_RATE, SECONDS / ROUNDS))
        # A process of its own: a thread would delay this one's requests itself.
        loading = get_context("fork").Process(target=load, args=(service.port, models[first : first + cold]))
        loading.start()
        disturbed.append(paced(service, hot, STEADY_RATE, SECONDS / ROUNDS))
        loading.join()
    ratio = median(disturbed) / median(steady)
    return f"{ratio:.1f} ({median(disturbed):.1f} / {median(steady):.1f} ms)"


def paced(service: Service, models: Sequence[Model], rate: float, seconds: float) -> float:
    """p99 in ms of requests that are sent at a rate."""
    client, taken = Client(service.port), []
    begin = time.perf_counter()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        taken.append(1e3 * client.ask(models[number % len(models)]))
    return p99(taken)


def load(port: int, models: Sequence[Model]) -> None:
    """Ask models that are not loaded, at COLD_RATE."""
    client, begin = Client(port), time.perf_counter()
    for number, model in enumerate(models):
        time.sleep(max(0.0, begin + number / COLD_RATE - time.perf_counter()))
        client.ask(model)


def churn(service: Service, models: Sequence[Model], requests: int) -> Row:
    """Requests to all models at random; the memory once each was asked, and at the end."""
    client, seen = Client(service.port), []
    chosen = random.Random(2)  # noqa: S311  # the same each time
    for number in range(requests):
        client.ask(chosen.choice(models))
        if number % (requests // 20) == 0:
            seen.append(service.megabytes())
    growth = 100 * (max(seen[len(seen) // 4 :]) / seen[len(seen) // 4] - 1)
    sizes = " → ".join(f"{size:.0f}" for size in (seen[0], seen[len(seen) // 4], seen[-1]))
    value = f"no failure, {sizes} MB: + {growth:.1f} % from a quarter on"
    return Row(f"{requests} requests at random", value, "no failure, flat within 5 %")


def published(repository: Repository, client: Client, model: Model) -> str:
    """Seconds until a new version is live; the longest of some."""
    client.ask(model)
    kind = model.name.rpartition("-")[2]
    return f"{max(live(repository, client, model.name, kind, version) for version in range(2, 2 + ROUNDS)):.2f} s"


def live(repository: Repository, client: Client, name: str, kind: str, version: int) -> float:
    """Publish a version and ask until it answers."""
    newer = repository.write(name, kind, 6000 + version, version)
    begin = time.perf_counter()
    until(lambda: client.ask(newer))
    return time.perf_counter() - begin


def until(attempt: Callable[[], object]) -> None:
    """Try until it succeeds."""
    while True:
        try:
            attempt()
        except ValueError:  # the answer of the version before
            time.sleep(0.01)
        else:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
