"""Check what an installation needs before it starts: Python's version, venv with pip, free disk space.

Runs on every Python 3, so that an old one is told in words too. Argument: the set that is installed.
"""

import importlib.util
import shutil
import sys

# Measured on x86-64, in GB, with room for the files that pip unpacks.
NEEDED_GB = {"serve": 0.5, "train": 3, "test": 5}


def problem(packages):  # noqa: ANN001, ANN201 - annotations would keep an old Python from reading this file
    """What is missing for this set of packages and how to mend it, or None."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return "Python 3.11, 3.12 or 3.13 is needed, this is {}.{}; choose it with make PYTHON=python3.13".format(
            *sys.version_info[:2]
        )
    if importlib.util.find_spec("ensurepip") is None:
        return "this Python has no ensurepip, which venv needs; on Debian: apt-get install python3-venv"
    free = shutil.disk_usage(".").free / 1e9
    if free < NEEDED_GB[packages]:
        return f"the {packages} packages need {NEEDED_GB[packages]} GB of disk space here; {free:.1f} GB are free"
    return None


if __name__ == "__main__":
    found = problem(sys.argv[1])
    sys.exit(None if found is None else "make: " + found)
