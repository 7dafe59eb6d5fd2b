"""`make bench-tables`: time and memory to read ten million rows in long form, compared with Polars alone.

The table has 100,000 series of 100 rows. Each case runs in its own process, to measure its memory. `lagcast`: read
the file, recognize its columns and make the windows. `polars`: read the columns into memory.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

SERIES, ROWS = 100_000, 100
WINDOW = 5
REPEATS = 3
LIMITS = {"csv": 20.0, "parquet": 8.0}  # most seconds, on two cores
MEMORY = 2048  # most MiB
KINDS = tuple(LIMITS)


def main() -> None:
    """Print seconds, CPU seconds over all cores and peak MiB: medians of three alternating runs, maximum of memory."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        found: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
        for _ in range(REPEATS):
            for kind in KINDS:
                for way in ("polars", "lagcast"):
                    found.setdefault((kind, way), []).append(_measured(way, Path(folder) / f"long.{kind}"))
    print(f"{SERIES * ROWS:,} rows in long form, {SERIES:,} series; seconds are medians of {REPEATS}")
    for (kind, way), runs in found.items():
        seconds = statistics.median(run[0] for run in runs)
        cpu = statistics.median(run[1] for run in runs)
        memory = max(run[2] for run in runs)
        limit = f"  (at most {LIMITS[kind]:.0f} s, {MEMORY} MiB)" if way == "lagcast" else ""
        print(f"{kind:8} {way:8} {seconds:6.2f} s  {cpu:6.2f} s of CPU  {memory:5} MiB{limit}")


def _write(folder: Path) -> None:
    random = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "unique_id": np.repeat([f"S{number:06d}" for number in range(SERIES)], ROWS),
            "ds": np.tile(np.datetime64("2024-01-01") + np.arange(ROWS), SERIES),
            "y": np.round(random.normal(100, 10, SERIES * ROWS), 2),
        }
    )
    table.write_csv(folder / "long.csv")
    table.write_parquet(folder / "long.parquet")


def _measured(way: str, path: Path) -> tuple[float, float, int]:
    command = [sys.executable, "-m", "benchmarks.tables", way, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]), float(said[1]), int(said[2])


def _run(way: str, path: Path) -> None:
    start = time.perf_counter()
    if way == "polars":
        rows = len(pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path))
    else:
        rows = _windows(path)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.perf_counter() - start
    print(f"{seconds:.3f} {used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss // 1024} {rows}")


def _windows(path: Path) -> int:
    from training.config import TrainConfig
    from training.data.series import load_rows

    rows = load_rows(TrainConfig(data=path, window=WINDOW))
    return len(rows.windows)


if __name__ == "__main__":
    _run(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 1 else main()
