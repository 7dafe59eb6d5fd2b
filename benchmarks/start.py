"""`make bench-start`: cold start, memory and size on disk, compared with the same model served with TensorFlow."""

import re
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from statistics import median

from benchmarks.load import CHECKOUT, MEGABYTE, Candidate, require_tools, running
from benchmarks.servers import OURS, PREDICT

ROUNDS = 5


def main() -> None:
    """Start both servers in turns, and print medians."""
    require_tools()
    locks = {OURS: "requirements/serve.txt", PREDICT: "requirements/train.txt"}
    starts: dict[Candidate, list[tuple[float, float]]] = {candidate: [] for candidate in locks}
    for _ in range(ROUNDS):
        for candidate in locks:
            starts[candidate].append(start(candidate))
    print("| | start to first answer, s | resident MB | installed MB |\n|---|---|---|---|")
    for candidate, lock in locks.items():
        seconds, megabytes = (median(side) for side in zip(*starts[candidate], strict=True))
        print(f"| {candidate.name} | {seconds:.2f} | {megabytes:.0f} | {installed_megabytes(lock):.0f} |")


def start(candidate: Candidate) -> tuple[float, float]:
    """Seconds from the command to the first successful response, and resident memory at that moment in MiB."""
    with running(candidate) as server:
        return server.start, server.megabytes()


def installed_megabytes(lock: str) -> float:
    """Installed size, in MiB, of all packages that a lock file pins."""
    names = re.findall(r"^(\S+)==", (CHECKOUT / lock).read_text(), re.MULTILINE)
    return sum(size_of(name) for name in names) / MEGABYTE


def size_of(name: str) -> int:
    """Installed size of a package in bytes; 0 if it is pinned for other systems only."""
    try:
        paths = [Path(path.locate()) for path in files(name) or []]
    except PackageNotFoundError:
        return 0
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    main()
