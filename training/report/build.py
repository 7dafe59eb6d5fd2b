"""Build the report: run the experiments, make the sections, write the files."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from training.report.article import article_runs
from training.report.article_findings import article_section
from training.report.competition import competition_section
from training.report.config import READING, ReportConfig
from training.report.cost import cost_runs
from training.report.files import write
from training.report.kept import run_all
from training.report.public_series import shampoo_runs, sunspot_runs
from training.report.rolling import RollingRun, Source, origins, rolling_runs
from training.report.section import Section
from training.report.series_findings import series_section, shampoo_section, sunspots_section
from training.report.span import span_runs
from training.report.span_findings import span_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.report.kept import Run


def build(config: ReportConfig) -> str:
    """Run what is not kept yet, write the folder, and return each section's lead and the page's path, to be printed.

    Raises SeriesError for a table that cannot be trained on, ArtifactError where a loss diverges, OSError where a
    file or a process fails.
    """
    config.out.mkdir(parents=True, exist_ok=True)  # what cannot be written is found before the work
    sections = _series(config) if config.data else _experiments(config)
    page = write(config, sections)
    return "\n".join([*(f"{section.title}\n  {section.lead}" for section in sections), f"{page}"])


def _series(config: ReportConfig) -> list[Section]:
    runs = _series_runs(config)
    return [series_section(runs, run_all(runs, config.cache_dir))]


def _series_runs(config: ReportConfig) -> list[RollingRun]:
    path = str(config.data.absolute()) if config.data else ""
    options = config.model_dump(mode="json", include=set(READING), exclude_none=True)
    named = Source(path, config.column, config.target, config.resolved_horizon, config.resolved_window, options)
    rows = named.rows()
    column = rows.table.column if rows.table else named.column
    source = replace(named, column=column, sha256=rows.sha256())
    return rolling_runs(source, origins(len(rows.targets)), config.all_seeds, config.budget)


def _experiments(config: ReportConfig) -> list[Section]:
    article, span, cost = article_runs(config), span_runs(config), cost_runs(config)
    shampoo, sunspots = shampoo_runs(config), sunspot_runs(config)
    groups: list[Sequence[Run]] = [article, span, cost, shampoo, sunspots]
    results = iter(run_all([run for group in groups for run in group], config.cache_dir))
    found: list[list[dict[str, Any]]] = [[next(results) for _ in group] for group in groups]
    return [
        span_section(span, found[1], cost, found[2]),
        article_section(article, found[0]),
        shampoo_section(shampoo, found[3]),
        sunspots_section(sunspots, found[4]),
        competition_section(config.out),
    ]
