"""The machine that measures: its CPU, and its caches, on which the cost of a small request depends."""

import os
import subprocess
from pathlib import Path

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def describe() -> str:
    """One line: CPU model, cores, cache sizes of a core, and the load before the measurement."""
    listed = subprocess.run(["lscpu"], check=True, capture_output=True, text=True).stdout  # of the PATH
    model = next(
        (line.partition(":")[2].strip() for line in listed.splitlines() if "Model name" in line), "unknown CPU"
    )
    caches = ", ".join(_cache(index) for index in sorted(CACHES.glob("index*")))
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores of {model}; caches {caches or 'unknown'}; load {load:.1f} before the measurement"


def _cache(index: Path) -> str:
    level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
    return f"L{level}{kind[0].lower() if kind != 'Unified' else ''} {size}"
