import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import loop
from training.loop import NO_ROW, shuffled_batches


@given(rows=st.integers(1, 60), batch_size=st.integers(1, 70), epochs=st.integers(1, 250))
def test_each_epoch_sees_each_row_once(rows: int, batch_size: int, epochs: int) -> None:
    steps = -(-rows // batch_size)

    numbers = np.concatenate(list(shuffled_batches(rows, batch_size, epochs, seed=0)))

    assert numbers.shape == (epochs * steps, batch_size)
    for epoch in numbers.reshape(epochs, -1):
        assert sorted(epoch[epoch != NO_ROW].tolist()) == list(range(rows))
    assert all((step != NO_ROW).any() for step in numbers)


def test_an_epoch_of_more_steps_than_a_call_takes_is_cut_into_pieces_of_that_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = np.concatenate(list(shuffled_batches(1000, 5, 3, seed=0)))
    monkeypatch.setattr(loop, "CHUNK_STEPS", 70)

    pieces = list(shuffled_batches(1000, 5, 3, seed=0))

    assert [len(piece) for piece in pieces] == [70, 70, 60] * 3
    assert np.array_equal(np.concatenate(pieces), whole)
