"""`make bench-forecast`: the networks on the competitions M1, Tourism and M3, beside standard methods."""

import argparse
from typing import Any

from benchmarks.forecasts import tables
from benchmarks.forecasts.competitions import COMPETITIONS, Group, groups
from benchmarks.forecasts.kept import FOLDER, if_kept, kept
from benchmarks.forecasts.neural import file_of
from benchmarks.forecasts.peers import standard_methods
from benchmarks.forecasts.scores import Scores


def main() -> None:
    """Print the tables of the competitions given on the command line, and write the CSV file and the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("--competitions", default=",".join(COMPETITIONS), help="which, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    results = {name: _competition(name, arguments.seed) for name in arguments.competitions.split(",")}
    for name, found in results.items():
        share = 100 * tables.better_than_linear(found)
        print(f"\n### {name}\n\n{tables.table(found)}\n\n{tables.groups_table(found)}\n")
        print(f"The pair is better than the linear baseline on {share:.0f} % of the series.", flush=True)
    tables.picture(results, FOLDER / "forecasts.svg")
    (FOLDER / "forecasts.csv").write_text(tables.details(results))
    print(f"\nresults by group and picture in {FOLDER}")


def _competition(name: str, seed: int) -> dict[str, dict[str, Any]]:
    return {group.frequency: _standard(group) | _ours(group, seed) | _neural(group) for group in groups(name)}


def _standard(group: Group) -> dict[str, Any]:
    return kept(f"{group.competition}-{group.frequency}-standard", lambda: standard_methods(group))


def _ours(group: Group, seed: int) -> dict[str, Any]:
    def compute() -> dict[str, Scores]:
        from benchmarks.forecasts.ours import networks  # it imports TensorFlow, which takes seconds

        return networks(group, seed)

    return kept(f"{group.competition}-{group.frequency}-networks-{seed}", compute)


def _neural(group: Group) -> dict[str, Any]:
    """Scores that `make bench-forecast-neural` has kept, in an environment of its own; none if it has not run."""
    return if_kept(file_of(group))


if __name__ == "__main__":
    main()
