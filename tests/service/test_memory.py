"""Memory budget of a process, from the memory limit of its container."""

from pathlib import Path

import pytest

from service.connection.limits import MEMORY_PER_BODY_BYTE
from service.memory import DEFAULT_BYTES, TooLittleMemory, budget, read_limit

MB = 2**20


def limited(tmp_path: Path, limit: str) -> list[Path]:
    file = tmp_path / "memory.max"
    file.write_text(limit)
    return [file, tmp_path / "absent"]


@pytest.mark.parametrize(
    ("text", "limit"), [("max\n", None), ("9223372036854771712\n", None), ("1073741824\n", 1024 * MB)]
)
def test_the_limit_of_the_container_is_read(text: str, limit: int | None, tmp_path: Path) -> None:
    assert read_limit(limited(tmp_path, text)) == limit


def test_without_a_limit_the_budget_is_the_default(tmp_path: Path) -> None:
    assert budget(None, MB, 1, limited(tmp_path, "max")) == DEFAULT_BYTES


def test_a_gigabyte_holds_two_workers_and_their_budgets(tmp_path: Path) -> None:
    assert 3 * 16 * MB <= budget(None, 16 * MB, 2, limited(tmp_path, str(1024 * MB))) < DEFAULT_BYTES


def test_a_limit_that_holds_not_one_body_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(TooLittleMemory, match="lower that or the workers, or raise the limit"):
        budget(None, 16 * MB, 4, limited(tmp_path, str(1024 * MB)))


def test_a_budget_that_is_set_counts_if_it_holds_a_body() -> None:
    assert budget(100 * MB, 16 * MB, 4) == 100 * MB
    with pytest.raises(TooLittleMemory, match="LAGCAST_MEMORY_BYTES is 10, but one body"):
        budget(10, 1 * MB // MEMORY_PER_BODY_BYTE, 1)
