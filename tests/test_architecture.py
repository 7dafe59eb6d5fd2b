"""The plan of the house: who may know whom, and what no file may hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.app import VERSION
from tests.repository import CHECKOUT

MAY_IMPORT = {
    "artifact": set(),
    "training": {"artifact"},
    "service": {"artifact"},
}


def modules(room: str) -> list[Path]:
    return sorted((CHECKOUT / room).glob("*.py"))


def imports(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


ROOMS = [*MAY_IMPORT, "training/report"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_itself_and_the_artifact(room: str) -> None:
    name = room.partition("/")[0]
    others = {"artifact", "training", "service", "tests", "benchmarks"} - {name} - MAY_IMPORT[name]

    for path in modules(room):
        known = {name.partition(".")[0] for name in imports(path)}
        assert not known & others, path


@pytest.mark.parametrize("room", ROOMS)
def test_imports_within_a_room_run_one_way(room: str) -> None:
    prefix = f"{room.replace('/', '.')}."
    knows = {
        path.stem: {n.removeprefix(prefix).split(".")[0] for n in imports(path) if n.startswith(prefix)}
        for path in modules(room)
    }

    while knows:
        leaves = {module for module, known in knows.items() if not known & knows.keys()}
        assert leaves, f"a cycle among {sorted(knows)}"
        knows = {module: known for module, known in knows.items() if module not in leaves}


def test_only_the_entry_to_the_training_room_knows_the_report() -> None:
    assert [path.stem for path in modules("training") if any("training.report" in n for n in imports(path))] == [
        "__main__"
    ]


def test_only_the_executor_of_the_report_knows_of_processes() -> None:
    knowing = [
        path.stem
        for path in modules("training/report")
        if any(re.match("multiprocessing|concurrent", n) for n in imports(path))
    ]

    assert knowing == ["executor"]


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


def test_the_service_tells_the_version_of_the_project() -> None:
    assert f'version = "{VERSION}"' in (CHECKOUT / "pyproject.toml").read_text()
