"""Memory budget of a process, from the memory limit of its container."""

import pytest

from service.connection.limits import MEMORY_PER_BODY_BYTE
from service.memory import DEFAULT_BYTES, TooLittleMemory, budget

MB = 2**20


def test_without_a_limit_the_budget_is_the_default() -> None:
    assert budget(None, MB, 1, None) == DEFAULT_BYTES


def test_a_gigabyte_holds_two_workers_and_their_budgets() -> None:
    assert 3 * 16 * MB <= budget(None, 16 * MB, 2, 1024 * MB) < DEFAULT_BYTES


def test_a_limit_that_holds_not_one_body_stops_the_start() -> None:
    with pytest.raises(TooLittleMemory, match="lower that or the workers, or raise the limit"):
        budget(None, 16 * MB, 4, 1024 * MB)


def test_a_budget_that_is_set_counts_if_it_holds_a_body() -> None:
    assert budget(100 * MB, 16 * MB, 4, None) == 100 * MB
    with pytest.raises(TooLittleMemory, match="LAGCAST_MEMORY_BYTES is 10, but one body"):
        budget(10, 1 * MB // MEMORY_PER_BODY_BYTE, 1, None)
