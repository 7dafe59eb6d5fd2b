"""A control group with a memory limit: at the limit the kernel kills a process of the service, as in a container."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path("/sys/fs/cgroup")
END_SECONDS = 10  # of processes whose parent has ended


def _own_group() -> tuple[Path, str]:
    """This process's group, and the name of the file with its limit."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return ROOT / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
        if not controllers and (ROOT / "cgroup.controllers").exists():
            return ROOT / path.lstrip("/"), "memory.max"
    pytest.skip("no control groups for memory here")


@contextmanager
def memory_group(folder: Path, limit: int) -> Iterator[Path]:
    """Make a group with a limit in bytes; yield a Python that runs inside of it. Skips where none can be made."""
    own, file = _own_group()
    group = own / f"lagcast-{folder.name}"
    try:
        group.mkdir()
        (group / file).write_text(str(limit))
    except OSError as error:
        pytest.skip(f"cannot make a control group with a memory limit: {error}")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\necho $$ >"{group}/cgroup.procs"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    try:
        yield python
    finally:
        end = time.monotonic() + END_SECONDS
        while (group / "cgroup.procs").read_text():
            assert time.monotonic() < end, "processes of the service are left behind"
            time.sleep(0.1)
        group.rmdir()
