"""Architecture rules: permitted imports, and text that files must not contain. They are listed in ARCHITECTURE.md."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from artifact.version import VERSION
from tests.repository import CHECKOUT

MAY_IMPORT = {
    "artifact": set(),
    "training": {"artifact"},
    "service": {"artifact"},
}
# Within the service every import is of the same group or an earlier one; modules not listed come last.
GROUPS = ["inference", "telemetry", "protocols", "middleware", "connection"]
WEB_FRAMEWORKS = {"starlette", "fastapi", "uvicorn", "grpc", "httptools", "prometheus_client"}


def modules(room: str) -> list[Path]:
    """Every Python file in a folder and its subfolders."""
    return sorted((CHECKOUT / room).rglob("*.py"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names of all imports of a file, including those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


def graph(room: str) -> dict[str, set[str]]:
    """The imports between the modules of a room: imported modules by module."""
    names = {dotted(path) for path in modules(room)}

    def module_of(imported: str) -> str | None:
        return next((name for name in (imported, imported.rpartition(".")[0]) if name in names), None)

    found = {dotted(path): {module_of(name) for name in imports(path)} for path in modules(room)}
    return {name: {known for known in knows if known not in (None, name)} for name, knows in found.items()}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_itself_and_the_artifact(room: str) -> None:
    others = {"artifact", "training", "service", "tests", "benchmarks"} - {room} - MAY_IMPORT[room]

    assert len(modules(room)) > 3
    for path in modules(room):
        known = {name.partition(".")[0] for name in imports(path)}
        assert not known & others, path


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_within_a_room_have_no_cycle(room: str) -> None:
    knows = graph(room)

    while knows:
        leaves = {module for module, known in knows.items() if not known & knows.keys()}
        assert leaves, f"a cycle among {sorted(knows)}"
        knows = {module: known for module, known in knows.items() if module not in leaves}


def rank(module: str) -> int:
    group = module.split(".")[1] if "." in module else ""
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


def test_the_groups_of_the_service_import_in_one_direction() -> None:
    backwards = [
        f"{module} imports {known}"
        for module, knows in graph("service").items()
        for known in knows
        if rank(known) > rank(module)
    ]

    assert backwards == []


def protocol_of(module: str) -> str | None:
    """The protocol folder of a file; None for a file that all protocols share."""
    parts = module.split(".")
    is_folder = parts[:2] == ["service", "protocols"] and (CHECKOUT / Path(*parts[:3])).is_dir() and len(parts) > 2
    return parts[2] if is_folder else None


def test_protocols_do_not_import_each_other_and_what_they_share_imports_none_of_them() -> None:
    knows = {module: known for module, known in graph("service").items() if module.startswith("service.protocols")}

    assert {protocol_of(module) for module in knows} >= {None, "native", "open_inference", "tensorflow_serving"}
    for module, known in knows.items():
        assert {protocol_of(other) for other in known} <= {None, protocol_of(module)}, module


def test_the_core_imports_no_web_framework() -> None:
    names = [dotted(path) for path in modules("service/inference")]
    script = f"import sys, importlib\nfor n in {names}: importlib.import_module(n)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, cwd=CHECKOUT, capture_output=True, text=True)

    assert {name.partition(".")[0] for name in loaded.stdout.split()} & WEB_FRAMEWORKS == set()


def names_of_networks() -> Iterator[str]:
    for path in tracked("service"):
        if path.suffix in {".py", ".js", ".html"}:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"\b(lstm|mlp|gru)\b", line, re.IGNORECASE) and path.name != "keras_archive.py":
                    yield f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}"


def test_the_service_names_no_network_and_no_model() -> None:
    """keras_archive.py is the exception: its allow-list names the layers of Keras, LSTM and GRU among them."""
    assert list(names_of_networks()) == []


def test_only_the_command_line_of_training_imports_the_report() -> None:
    assert {
        dotted(path)
        for path in modules("training")
        if "report" not in path.parts and any(name.startswith("training.report") for name in imports(path))
    } == {"training.command"}


def test_only_one_file_of_training_starts_processes() -> None:
    knowing = [
        str(path.relative_to(CHECKOUT))
        for path in sorted((CHECKOUT / "training").rglob("*.py"))
        if any(re.match("joblib|multiprocessing|concurrent", name) for name in imports(path))
    ]

    assert knowing == ["training/processes.py"]


def test_neither_the_artifact_nor_the_service_loads_tensorflow() -> None:
    script = "import sys, artifact, service.__main__; assert not {'tensorflow', 'keras'} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", script], check=True, cwd=CHECKOUT)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=CHECKOUT, check=True, capture_output=True, text=True)
    return [CHECKOUT / line for line in listed.stdout.splitlines()]


def test_no_source_file_is_longer_than_300_lines() -> None:
    long = [path.name for path in tracked("*.py") if len(path.read_text().splitlines()) > 300]

    assert not long


def test_lock_files_pin_every_package_with_hashes_and_name_no_index() -> None:
    for path in sorted((CHECKOUT / "requirements").glob("*.txt")):
        content = path.read_text()
        assert "://" not in content
        assert "--index-url" not in content
        for requirement in re.split(r"\n(?=\S)", content.strip()):
            assert re.match(r"[\w.\[\]-]+==\S+.*\\\n    --hash=sha256:", requirement), requirement.splitlines()[0]


def test_serving_installs_no_tensorflow_and_each_set_holds_the_smaller_one() -> None:
    pins = {
        name: set(re.findall(r"^(\S+==\S+)", (CHECKOUT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("serve", "train", "test")
    }

    assert not any(pin.startswith(("tensorflow", "keras")) for pin in pins["serve"])
    assert pins["serve"] < pins["train"] < pins["test"]


def test_the_version_that_the_commands_print_is_the_projects() -> None:
    assert f'version = "{VERSION}"' in (CHECKOUT / "pyproject.toml").read_text()
