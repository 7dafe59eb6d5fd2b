"""`make bench-levels`: CPU of a /forecast of twelve steps with two levels, over a /predict of the same model."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import machine
from benchmarks.load import CHECKOUT, Candidate, require_tools
from benchmarks.servers import SERVICE
from benchmarks.single import measure, print_goals
from benchmarks.verdicts import Goal

DATA = CHECKOUT / "tests" / "data" / "airline.csv"
NETWORKS = ("linear", "mlp", "lstm")  # a cheaper network leaves more weight to the rest of the request
LEVELS = [80, 90]  # the table leaves too few windows to calibrate on for 95
MOST = 1.3


def main() -> None:
    """Train a model of each network, and measure both requests in turns; print tables, whether a goal is met or not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.levels", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each candidate (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=1, help="length of a turn (default: %(default)s)")
    arguments = parser.parse_args()
    require_tools()
    with trained() as models:
        print(f"{machine.describe()}\n", flush=True)
        pairs = [requests(name, models) for name in NETWORKS]
        measured = measure([request for pair in pairs for request in pair], arguments.rounds, arguments.seconds)
        print_goals(measured, [Goal(forecast.name, predict.name, MOST, MOST) for predict, forecast in pairs])


@contextmanager
def trained() -> Iterator[Path]:
    """A model repository with a model of twelve steps for each of NETWORKS, trained on monthly airline passengers."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--data", str(DATA), "--steps", "12", "--networks", ",".join(NETWORKS), "--epochs", "1"]
        command = [sys.executable, "-m", "training", *options, "--models-dir", folder]
        subprocess.run(command, check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield Path(folder)


def requests(name: str, models: Path) -> tuple[Candidate, Candidate]:
    """The /predict and the /forecast of a model, for the window that the table ends with."""
    size = json.loads((models / name / "1" / "card.json").read_text())["window"]
    values = [float(line.rpartition(",")[2]) for line in DATA.read_text().splitlines()[1:]]
    body = {"window": values[-size:]}
    command = [*SERVICE, "--models-dir", str(models)]
    return (
        Candidate(f"{name}, predict", command, f"/predict/{name}", json.dumps(body)),
        Candidate(f"{name}, forecast", command, f"/forecast/{name}", json.dumps(body | {"levels": LEVELS})),
    )


if __name__ == "__main__":
    main()
