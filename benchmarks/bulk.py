"""`make bench-bulk`: the server's CPU for 1,000,000 rows in one request, by protocol."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
import numpy as np
from numpy.typing import NDArray

from artifact import verify
from benchmarks.load import Candidate, Running, require_tools, running
from benchmarks.serve import JSON
from benchmarks.servers import OURS
from benchmarks.verdicts import spread, verdict

ROWS = 1_000_000
LIMITS = {"LAGCAST_MAX_BODY_BYTES": str(2**30), "LAGCAST_MAX_BATCH_ROWS": str(ROWS), "LAGCAST_DEADLINE_SECONDS": "600"}
BULK = Candidate(OURS.name, OURS.command, environment=LIMITS)
GOALS = {"mlp": 5e6, "lstm": 1e6}  # least predictions per second and core
PLAIN = {"Accept-Encoding": "identity"}


class Way(NamedTuple):
    """A request form: the request with all rows of a model, and the function that reads its response."""

    model: str
    label: str
    path: str
    content: bytes
    headers: dict[str, str]
    read: Callable[[httpx.Response], NDArray[np.float32]]


def main() -> None:
    """Measure and print Markdown tables; the exit code is 0 even if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each way (default: %(default)s)")
    rounds = parser.parse_args().rounds
    require_tools()
    bulk(rounds)


def bulk(rounds: int) -> None:
    """Measure one request with a million rows, in each form."""
    ways = [way for model in GOALS for way in make_ways(model)]
    with running(BULK) as server:
        check(server, ways)
        cpu: list[list[float]] = [[] for _ in ways]
        for _ in range(rounds):
            for way, seconds in zip(ways, cpu, strict=True):
                seconds.append(cpu_of(server, way))
    print_tables(ways, cpu)


def make_ways(model: str) -> list[Way]:
    """Requests with the same rows, all within the trained range, in each form."""
    card = verify(Path("models"), model, 1).card
    width, source = card.window, card.input.name
    rows = np.random.default_rng(0).uniform(0, 103, (ROWS, width)).astype("<f4")
    path, tensor = f"/v2/models/{model}/infer", {"name": source, "shape": list(rows.shape), "datatype": "FP32"}
    listed = rows.ravel().tolist()
    head = document(tensor | {"parameters": {"binary_data_size": rows.nbytes}}, binary_data_output=True)
    lengths = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    own = json.dumps({f"{source}s": listed if card.input.is_single_value else rows.tolist()}).encode()
    return [
        Way(model, "v2, binary in and out", path, head + rows.tobytes(), lengths, read_binary),
        Way(model, "v2, JSON in and out", path, document(tensor | {"data": listed}), JSON, read_json),
        Way(model, f"/predict/{model}/batch", f"/predict/{model}/batch", own, JSON, read_own),
    ]


def document(tensor: dict[str, object], **parameters: bool) -> bytes:
    """The JSON of an inference request."""
    return json.dumps({"inputs": [tensor], "parameters": parameters}).encode()


def read_binary(answer: httpx.Response) -> NDArray[np.float32]:
    """Read the binary output after the JSON of a v2 response, (rows,)."""
    length = int(answer.headers["inference-header-content-length"])
    return np.frombuffer(answer.content[length:], "<f4")


def read_json(answer: httpx.Response) -> NDArray[np.float32]:
    """Read the output of a v2 response in JSON, (rows,)."""
    return np.array(answer.json()["outputs"][0]["data"], "<f4")


def read_own(answer: httpx.Response) -> NDArray[np.float32]:
    """Read the predictions of a /predict response, (rows,)."""
    return np.array(answer.json()["predictions"], "<f4")


def ask(server: Running, way: Way) -> httpx.Response:
    """Send all rows in one request. Raises httpx.HTTPStatusError for an error response."""
    answer = httpx.post(server.url + way.path, content=way.content, headers=PLAIN | way.headers, timeout=600)
    return answer.raise_for_status()


def check(server: Running, ways: list[Way]) -> None:
    """Warm up, and raise RuntimeError unless all forms give bit-identical predictions per model."""
    seen: dict[str, NDArray[np.float32]] = {}
    for way in ways:
        predictions = way.read(ask(server, way))
        if len(predictions) != ROWS or not np.array_equal(seen.setdefault(way.model, predictions), predictions):
            raise RuntimeError(f"{way.label} of {way.model} does not answer what the others do")


def cpu_of(server: Running, way: Way, requests: int = 5) -> float:
    """CPU seconds of the server per request, mean of `requests`."""
    before = server.cpu_seconds()
    for _ in range(requests):
        ask(server, way)
    return (server.cpu_seconds() - before) / requests


def print_tables(ways: Sequence[Way], cpu: Sequence[Sequence[float]]) -> None:
    """Print one row per form, and one row per goal. cpu: seconds, (forms, rounds)."""
    print(f"| {ROWS:,} rows in a request | model | MB | CPU ms | predictions/s per core |\n|---|---|---|---|---|")
    for way, seconds in zip(ways, cpu, strict=True):
        milliseconds = spread([1e3 * value for value in seconds])
        size, rate = len(way.content) / 1e6, ROWS / median(seconds)
        print(f"| {way.label} | {way.model} | {size:.1f} | {milliseconds} | {rate:,.0f} |")
    print("\n| CPU ms of a binary request | goal | measured | verdict |\n|---|---|---|---|")
    for way, seconds in zip(ways, cpu, strict=True):
        if way.read is read_binary:
            most = ROWS / GOALS[way.model] * 1e3
            print(f"| {way.model} | ≤ {most:g} | {verdict([1e3 * value for value in seconds], most)} |", flush=True)


if __name__ == "__main__":
    main()
