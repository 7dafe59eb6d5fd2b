"""`make bench-forecast`: the networks on the competitions M1, Tourism and M3, beside standard methods."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.forecasts import tables
from benchmarks.forecasts.competitions import COMPETITIONS, Group, groups

KEPT = Path("report/forecasts")  # results by group, so that an interrupted run can be resumed


def main() -> None:
    """Print the tables of the competitions given on the command line, and write the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("--competitions", default=",".join(COMPETITIONS), help="which, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    results = {name: _competition(name, arguments.seed) for name in arguments.competitions.split(",")}
    for name, found in results.items():
        share = 100 * tables.better_than_linear(found)
        print(f"\n### {name}\n\n{tables.table(found)}\n\n{tables.groups_table(found)}\n")
        print(f"The pair is better than the linear baseline on {share:.0f} % of the series.", flush=True)
    tables.picture(results, KEPT / "forecasts.svg")
    print(f"\nresults and picture in {KEPT}")


def _competition(name: str, seed: int) -> dict[str, dict[str, Any]]:
    return {group.frequency: _standard(group) | _ours(group, seed) for group in groups(name)}


def _standard(group: Group) -> dict[str, Any]:
    from benchmarks.forecasts.peers import standard_methods

    return _kept(f"{group.competition}-{group.frequency}-standard", lambda: standard_methods(group))


def _ours(group: Group, seed: int) -> dict[str, Any]:
    from benchmarks.forecasts.ours import networks

    return _kept(f"{group.competition}-{group.frequency}-networks-{seed}", lambda: networks(group, seed))


def _kept(name: str, find: Any) -> dict[str, Any]:
    """Scores from the file of an earlier run; if there is none, compute them with `find` and write the file."""
    path = KEPT / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps({method: scores.as_dict() for method, scores in find().items()})
        path.with_suffix(".part").write_text(content)
        path.with_suffix(".part").rename(path)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


if __name__ == "__main__":
    main()
