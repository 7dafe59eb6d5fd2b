"""Report of a table: summary lines for the start of a run, a text for people, a dictionary for JSON."""

from typing import Any

from training.data.errors import counted, listed, shown
from training.data.problems import at
from training.data.table import Problem, Table

COLUMNS = 40  # maximum number of columns listed
FEW = 3  # maximum number of ids listed
WIDTH = 12  # width of a label in characters


def summary(table: Table) -> list[str]:
    """Summary lines: how the file was read, its columns, the number of series and rows, and what was left out."""
    lines = [_line("file", f"{table.name}: {_dialect(table)}"), _line("columns", _roles(table))]
    lines += [_line("rows", _rows(table)), _line("frequency", _frequency(table))]
    lines += [_line("note", note) for note in table.notes]
    done = [f"{name} {table.read[name]}" for name in ("duplicates", "gaps") if table.read[name] != "none"]
    lines += [_line("decided", "; ".join(done))] if done else []
    if table.left_out:
        first = "; ".join(f"{shown(name)} {why}" for name, why in list(table.left_out.items())[:3])
        lines.append(_line("left out", f"{counted(len(table.left_out), 'series', 'series')}: {first}"))
    return lines


def for_people(table: Table, problems: list[Problem]) -> str:
    """The summary, the columns, and each problem with the flag that resolves it."""
    columns = [
        f"  {shown(column.name):24} {column.kind:7} {column.role:7} {', '.join(column.examples)}".rstrip()
        for column in table.columns[:COLUMNS]
    ]
    more = [f"  and {len(table.columns) - COLUMNS} more"] if len(table.columns) > COLUMNS else []
    said = [f"  {p.code} {'STOPS A RUN' if p.refused else 'note'}: {p.text}\n       → {p.flags}" for p in problems]
    verdict = (
        "a run stops here; see the flags above" if any(p.refused for p in problems) else "a run accepts this table"
    )
    return "\n".join(
        [*summary(table), "", "columns", *columns, *more, "", "problems", *(said or ["  none"]), "", verdict]
    )


def for_programs(table: Table, problems: list[Problem]) -> dict[str, Any]:
    """The same as a dictionary for JSON."""
    first, last = _span(table)
    values = table.values
    return {
        "file": table.name,
        "read": table.read,
        "columns": [column._asdict() for column in table.columns],
        "series": len(table.ids),
        "rows": len(values),
        "first": first,
        "last": last,
        "frequency": table.frequency and table.frequency.name,
        "season": table.season,
        "zeros": int((values == 0).sum()),
        "negatives": int((values < 0).sum()),
        "notes": table.notes,
        "left_out": table.left_out,
        "problems": [problem._asdict() for problem in problems],
        "accepted": not any(problem.refused for problem in problems),
    }


def _line(label: str, text: str) -> str:
    return f"{label:{WIDTH}}{text}"


def _dialect(table: Table) -> str:
    parts = [f"{value}" for key, value in table.read["dialect"].items() if key != "quote" or value != '"']
    parts += [f"{key} {value}" for key, value in table.read["numbers"].items()]
    return ", ".join(parts)


def _roles(table: Table) -> str:
    roles = table.read["roles"]
    parts = [f"value {shown(roles['value'])}"]
    if roles["target"] != roles["value"]:
        parts.append(f"target {shown(roles['target'])}")
    if roles["time"]:
        zone = f", {table.read['time_zone']}" if "time_zone" in table.read else ""
        parts.append(f"time {shown(roles['time'])} ({table.read.get('time_format', 'typed')}{zone})")
    if roles["id"]:
        parts.append(f"series id {shown(roles['id'])}")
    return ", ".join(parts)


def _rows(table: Table) -> str:
    first, last = _span(table)
    parts = [f"{counted(len(table.values), 'row')}", *([f"{first} to {last}"] if first else []), table.read["order"]]
    if table.read["roles"]["id"]:
        more = ", …" if len(table.ids) > FEW else ""
        parts.insert(0, f"{counted(len(table.ids), 'series', 'series')} ({listed(table.ids[:FEW])}{more})")
    return ", ".join(parts)


def _span(table: Table) -> tuple[str | None, str | None]:
    if table.times is None or not len(table.times):
        return None, None
    return at(int(table.times.min()), table.unit), at(int(table.times.max()), table.unit)


def _frequency(table: Table) -> str:
    if table.frequency is None:
        reason = "no column of times" if table.times is None else "the steps between times are not alike"
        return f"none: {reason}; rows count in their order"
    season = f", season of {table.season}" if table.season > 1 else ""
    return f"{table.frequency.name} ({table.frequency.words}){season}"
