"""`make bench-start`: cold start, memory and size on disk, beside the same model served with TensorFlow."""

import re
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from statistics import median

from benchmarks.load import CHECKOUT, MEGABYTE, Candidate, require_tools, running
from benchmarks.serve import OURS, PREDICT

ROUNDS = 5


def main() -> None:
    """Start each in turn, and print medians."""
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
    """Seconds from the command to the first right answer, and megabytes then."""
    with running(candidate) as server:
        return server.start, server.megabytes()


def installed_megabytes(lock: str) -> float:
    """The files of all packages that a lock file pins, as they lie in this environment."""
    names = re.findall(r"^(\S+)==", (CHECKOUT / lock).read_text(), re.MULTILINE)
    return sum(size_of(name) for name in names) / MEGABYTE


def size_of(name: str) -> int:
    """Bytes of one installed package; 0 for one that is pinned for other systems."""
    try:
        paths = [Path(path.locate()) for path in files(name) or []]
    except PackageNotFoundError:
        return 0
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    main()
