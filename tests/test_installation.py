"""Installation with `make`: checks before it, and commands after it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import CHECKOUT

CHECK = CHECKOUT / "requirements" / "check_machine.py"


def check(*options: str, cwd: Path = CHECKOUT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, str(CHECK), "test"]
    return subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_a_machine_that_has_all_is_told_nothing() -> None:
    done = check()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_python_without_ensurepip_is_told_which_package_brings_it(tmp_path: Path) -> None:
    """This is the state of Python on Debian without the package python3-venv."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, importlib.machinery as m\n"
        "class Hidden(m.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        return None if name == 'ensurepip' else m.PathFinder.find_spec(name, path, target)\n"
        "sys.meta_path[sys.meta_path.index(m.PathFinder)] = Hidden\n"
    )

    done = check(PYTHONPATH=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == (
        "make: this Python has no ensurepip, which venv needs; on Debian: apt-get install python3-venv\n"
    )


def test_a_full_disk_is_told_before_the_download(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import shutil\nshutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 10**9, 0)\n"
    )

    done = check(PYTHONPATH=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == "make: the test packages need 5 GB of disk space here; 0.0 GB are free\n"


@pytest.mark.parametrize("python", ["python3.8", "python3.9", "python3.10", "python3.14"])
def test_a_python_of_another_version_is_named(python: str) -> None:
    found = subprocess.run([python, "--version"], capture_output=True, text=True, check=False) if _has(python) else None
    if found is None or found.returncode:
        pytest.skip(f"{python} is not installed")

    done = subprocess.run([python, CHECK, "serve"], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr


def test_what_make_installs_starts_from_any_folder(tmp_path: Path) -> None:
    """Also if Python does not import from the working directory, and if the path has a space and an accent."""
    checkout, elsewhere = tmp_path / "ma s\u00e9rie", tmp_path / "elsewhere"
    for folder in (elsewhere, checkout / "requirements", checkout / "service"):
        folder.mkdir(parents=True)
    shutil.copy(CHECKOUT / "Makefile", checkout)
    shutil.copy(CHECK, checkout / "requirements")
    (checkout / "requirements" / "serve.txt").touch()  # no packages: only the path to the checkout is tested
    (checkout / "service" / "__main__.py").write_text("print('started')")
    environment = os.environ | {"PYTHONSAFEPATH": "1", "LC_ALL": "C"}
    make = ["make", ".venv/serve.installed", f"PYTHON={Path(sys.executable).resolve()}"]
    subprocess.run(make, cwd=checkout, env=environment, check=True, capture_output=True)

    for folder in (elsewhere, checkout):
        command = [str(checkout / ".venv/bin/python"), "-m", "service"]
        done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
        assert done.stdout == "started\n"


def _has(command: str) -> bool:
    return any((Path(folder) / command).exists() for folder in os.environ["PATH"].split(os.pathsep))
