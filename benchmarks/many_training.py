"""`make bench-many`, the training half: a pair of models for each of many series, `--each`.

It measures CPU seconds and memory of a run with two processes; the same first series with one process, two and two
workers of a Dask cluster in turns; and plain Keras `fit` with TFLiteConverter for some of them.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import psutil

from artifact import LITERT_FILE, verify
from artifact.repository import names
from training.combination.sizes import STEPS
from training.config import TrainConfig
from training.data.reading import read_table
from training.each.split import tables_of
from training.networks.registry import NETWORKS
from training.quiet import silent_stderr

ROOT = Path(__file__).parents[1]
VALUES = 120
PLAIN = 5  # series of the plain fit
SCHEDULER = "tcp://127.0.0.1:18786"


class Moment(NamedTuple):
    """A run so far: series that are done, seconds, CPU seconds of all processes, and the largest memory of one."""

    done: int
    seconds: float
    cpu: float
    megabytes: float


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-many")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--part", type=int, default=300, help="series of the comparisons")
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), asked.part)
        plain(Path(folder))
        show_whole(train(Path(folder), asked.series, "whole", "--jobs", "2"))
    print(f"load {os.getloadavg()[0]:.1f}")


def compare(folder: Path, part: int) -> None:
    """One process, two processes and a Dask cluster with two workers, on the same series."""
    one = train(folder, part, "one", "--jobs", "1")[-1]
    two = train(folder, part, "two", "--jobs", "2")[-1]
    with cluster(folder):
        dask = train(folder, part, "dask", "--backend", "dask", "--address", SCHEDULER)[-1]
    same = bits(folder / "one") == bits(folder / "two") == bits(folder / "dask")
    print(f"{part} series: one process {one.seconds:.1f} s, two {two.seconds:.1f} s, Dask {dask.seconds:.1f} s")
    print(f"two processes against one   {one.seconds / two.seconds:.2f} x")
    print(f"Dask against two processes  {dask.seconds / two.seconds:.2f} x the time, the same bits: {same}", flush=True)


def show_whole(moments: list[Moment]) -> None:
    """CPU and memory of a whole run."""
    last = moments[-1]
    print(f"{last.done} series, two processes: {last.seconds:.0f} s, {last.cpu / last.done:.2f} s of CPU a pair")
    for before, now in pairwise(moments):
        pairs = now.done - before.done
        cpu = (now.cpu - before.cpu) / pairs if pairs else 0.0
        print(f"  to {now.done:6}: {cpu:.2f} s of CPU a pair, largest process {now.megabytes:.0f} MB")


def table_of(folder: Path, series: int) -> Path:
    """Monthly series with trend, season and noise, the same at every call."""
    path = folder / f"{series}.csv"
    random, months = np.random.default_rng(7), np.arange(VALUES)
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["shop", "month", "sales"])
        for shop in range(series):
            level, trend, swing = random.uniform(50, 500), random.uniform(-0.002, 0.006), random.uniform(0.05, 0.3)
            season = 1 + swing * np.sin(2 * np.pi * (months + random.integers(12)) / 12)
            sales = level * (1 + trend * months) * season * np.exp(random.normal(0, 0.05, VALUES))
            dates = [f"{2015 + month // 12}-{month % 12 + 1:02d}-01" for month in months]
            lines.writerows([f"shop {shop}", day, f"{one:.2f}"] for day, one in zip(dates, sales, strict=True))
    return path


def train(folder: Path, series: int, name: str, *flags: str) -> list[Moment]:
    """Run `--each` and look at its processes whenever it says how many series are done."""
    command = [sys.executable, "-m", "training", "--data", str(table_of(folder, series)), "--id", "shop", "--each"]
    began, moments = time.monotonic(), list[Moment]()
    with subprocess.Popen(
        [*command, "--models-dir", str(folder / name), *flags],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        counts = (re.match(r"series trained (\d+)/", line) for line in process.stderr or ())
        moments.extend(_moment(process.pid, int(found[1]), began) for found in counts if found)
        if process.wait():
            raise SystemExit(f"--each ended with {process.returncode}")
    return [*moments[:-1], moments[-1]._replace(seconds=time.monotonic() - began)]


def _moment(pid: int, done: int, began: float) -> Moment:
    parent = psutil.Process(pid)
    cpu, largest = 0.0, 0
    for process in [parent, *parent.children(recursive=True)]:
        with process.oneshot():
            times = process.cpu_times()
            cpu += times.user + times.system
            largest = max(largest, process.memory_info().rss)
    return Moment(done, time.monotonic() - began, cpu, largest / 1e6)


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """A Dask scheduler with two worker processes on this machine."""
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", SCHEDULER.rpartition(":")[2]]
    worker = ["distributed.cli.dask_worker", SCHEDULER, "--nthreads", "1", "--no-dashboard", "--local-directory"]
    started = [_start(folder, *scheduler, "--no-dashboard"), *(_start(folder, *worker, str(folder)) for _ in range(2))]
    try:
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def _start(folder: Path, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    log = (folder / "cluster.log").open("ab")
    with log:
        return subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, stdout=log, stderr=log)


def bits(models_dir: Path) -> dict[str, bytes]:
    """The `.tflite` file of each model by name."""
    return {name: verify(models_dir, name, 1).files[LITERT_FILE] for name in names(models_dir)}


def plain(folder: Path) -> None:
    """Keras' own `fit` and TFLiteConverter, with the article's networks: as many steps as the recipe's budget, one fit
    of each network, no evaluation, no intervals.
    """
    with silent_stderr():
        import keras

        from training.export import to_litert

    table = read_table(TrainConfig(data=table_of(folder, PLAIN), id="shop"))
    began = time.process_time()
    for one in tables_of(table):
        windows = np.lib.stride_tricks.sliding_window_view((one.values / one.values.mean()).astype(np.float32), 49)
        for name in ("lstm", "mlp"):
            network = NETWORKS[name]
            model = network.build(48 if network.input == "window" else 1, None)
            model.compile("adam", "mae")
            x = network.inputs(windows[:, :-1]).reshape(-1, *model.input_shape[1:])
            model.fit(x, windows[:, -1:], batch_size=16, epochs=STEPS // -(-len(x) // 16), verbose=0)
            to_litert(model)
            keras.utils.clear_session()
    print(f"plain fit and TFLiteConverter: {(time.process_time() - began) / PLAIN:.1f} s of CPU a pair", flush=True)


if __name__ == "__main__":
    main()
