"""Inspect a table and print what was found."""

import sys

import orjson

from training.data.reading import understand
from training.inspect.config import InspectConfig
from training.inspect.findings import find_problems
from training.inspect.shown import for_people, for_programs


def inspect(config: InspectConfig) -> bool:
    """Print what was understood; returns whether a run would accept the table. Raises SeriesError for no table."""
    table = understand(config)
    problems = find_problems(table, config.resolved_window, config.resolved_horizon)
    if config.json_:
        sys.stdout.write(orjson.dumps(for_programs(table, problems), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write(for_people(table, problems) + "\n")
    return not any(problem.refused for problem in problems)
