"""Fair queue: the order of items of several clients."""

from queue import Full

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.fair_queue import FairQueue

ITEMS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)))


@given(ITEMS)
def test_each_client_has_its_items_in_order_and_none_has_two_turns_while_another_waits(
    items: list[tuple[str, int]],
) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for client, number in items:
        queue.put(client, (client, number))
    left = list(dict.fromkeys(items))
    waiting: dict[str, int] = {}  # turns of others since it had one

    while queue:
        taken = queue.take()
        client = taken[0]
        assert taken == next(item for item in left if item[0] == client)
        left.remove(taken)
        others = {item[0] for item in left} - {client}
        waiting = {other: waiting.get(other, 0) + 1 for other in others}
        assert all(turns <= 2 for turns in waiting.values())
    assert left == []


def test_a_client_has_a_most_of_items_and_others_have_theirs() -> None:
    queue: FairQueue[int] = FairQueue()
    for item in (1, 2, 2, 1):
        queue.put("a", item, most=2)
    queue.put("b", 3, most=2)

    with pytest.raises(Full):
        queue.put("a", 3, most=2)
    assert [queue.take() for _ in range(3)] == [1, 3, 2]
