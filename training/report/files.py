"""Write the report's folder: a self-contained page, a summary in Markdown, tables and pictures as files."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from training.report.config import ReportConfig
from training.report.kept import LIBRARIES
from training.report.pictures import COLOURS
from training.report.section import Section

PAGE = "index.html"
SUMMARY = "summary.md"  # not README.md: --out . would overwrite it


def write(config: ReportConfig, sections: list[Section]) -> Path:
    """Write the folder and return the page's path."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    values = {"sections": sections, "facts": _facts(config), "colours": COLOURS, "Markup": Markup}
    for template, name in (("page.html", PAGE), ("summary.md", SUMMARY)):
        (config.out / name).write_text(environment.get_template(template).render(values))
    for section in sections:
        _write_section(config.out, section)
    return config.out / PAGE


def _write_section(folder: Path, section: Section) -> None:
    for table in (*section.tables, *section.details):
        (folder / f"{table.name}.csv").write_text(table.to_csv())
        (folder / f"{table.name}.json").write_text(table.to_json())
    for picture in section.pictures:
        (folder / f"{picture.name}.svg").write_text(_standalone(picture.svg))


def _standalone(svg: str) -> str:
    """The SVG with the colours that the page's style sheet has, to be a file of its own."""
    light, dark = (
        "".join(f"--{name}:{getattr(style, theme)};" for name, style in COLOURS.items()) for theme in ("light", "dark")
    )
    style = f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    head, opened, rest = svg.partition("<defs>")
    return f"{head}{style}{opened}{rest}"


def _facts(config: ReportConfig) -> dict[str, Any]:
    """How this report was made: command, date, versions, seeds, cores."""
    seeds = config.all_seeds
    versions = {"Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    return {
        "command": _command(config),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "seeds": f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else "0",
        "cores": str(len(os.sched_getaffinity(0))),
        "quick": config.quick,
    }


def _command(config: ReportConfig) -> str:
    """The command that makes this report, without its output folders; a file is shown by its name only."""
    given = config.model_dump(mode="json", include=config.model_fields_set - {"out", "cache_dir", "quick"})
    if config.data:
        given["data"] = config.data.name
    options = [
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
        for name, value in given.items()
        if value not in (None, False)
    ]
    return " ".join(["python -m training report", *(["--quick"] if config.quick else []), *options])
