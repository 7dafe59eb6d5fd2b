"""Memory of a control group, from files as in version 1 and version 2 of the kernel interface."""

from pathlib import Path

import pytest

from service.telemetry.cgroup import LimitedGroup, limited_groups

V1 = {"memory.limit_in_bytes": "1000", "memory.usage_in_bytes": "700", "memory.stat": "total_inactive_file 100\n"}
V2 = {"memory.max": "1000", "memory.current": "700", "memory.stat": "anon 5\ninactive_file 100\n"}


def found(root: Path, membership: str) -> list[LimitedGroup]:
    (root / "membership").write_text(membership)
    return list(limited_groups(root, root / "membership"))


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)


@pytest.mark.parametrize(
    ("folder", "files", "membership"),
    [
        (".", V2, "0::/\n"),
        ("system.slice/lagcast", V2, "0::/system.slice/lagcast\n"),
        ("system.slice", V2, "0::/system.slice/lagcast\n"),
        ("memory", V1, "9:name=systemd:/\n4:memory:/docker/abc\n0::/\n"),
        ("memory/docker/abc", V1, "4:cpu,memory:/docker/abc\n"),
    ],
    ids=["v2 in a container", "v2 of the group", "v2 of the group around it", "v1 in a container", "v1 on the host"],
)
def test_the_limit_and_the_working_set_of_a_group_are_found(
    tmp_path: Path, folder: str, files: dict[str, str], membership: str
) -> None:
    write(tmp_path / folder, files)

    assert found(tmp_path, membership) == [LimitedGroup(limit=1000, used=600)]


@pytest.mark.parametrize(
    ("files", "membership"),
    [
        (V2 | {"memory.max": "max"}, "0::/\n"),
        ({}, "0::/\n"),
        ({}, ""),
    ],
    ids=["no limit", "no files", "no groups"],
)
def test_without_a_limit_no_group_is_found(tmp_path: Path, files: dict[str, str], membership: str) -> None:
    write(tmp_path, files)

    assert found(tmp_path, membership) == []


def test_the_largest_number_of_version_1_is_no_limit(tmp_path: Path) -> None:
    write(tmp_path / "memory", V1 | {"memory.limit_in_bytes": "9223372036854771712"})

    assert found(tmp_path, "4:memory:/\n") == []


def test_the_nearest_group_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "pod" / "container", V2)
    write(tmp_path / "pod", V2 | {"memory.max": "900"})

    assert [group.limit for group in found(tmp_path, "0::/pod/container\n")] == [1000, 900]
