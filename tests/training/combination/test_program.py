import random
import threading
from collections.abc import Iterator

import keras
import numpy as np
import pytest

from training.combination.core import build_core
from training.combination.lookback import Lookback
from training.combination.program import Program, front_of
from training.networks import lstm

LOOKBACK = Lookback(8, (1,), 1, log=False)


@pytest.fixture
def drawing() -> Iterator[None]:
    """Another thread that draws from Python's `random`, as Dask's do."""
    ended = threading.Event()

    def draw() -> None:
        while not ended.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    yield
    ended.set()
    thread.join()


def expected(seed: int) -> list[np.ndarray]:
    front = front_of(LOOKBACK)
    keras.utils.set_random_seed(seed)
    weights: list[np.ndarray] = build_core(front, 1, lstm.hidden, 8, "first").get_weights()
    return weights


def test_the_first_weights_are_those_of_keras_seed_whatever_other_threads_draw(
    request: pytest.FixtureRequest,
) -> None:
    weights = expected(3)
    program = Program(LOOKBACK, lstm.hidden, 8)
    request.getfixturevalue("drawing")

    program.reset(3, learning_rate=0.01, steps=10)

    assert all(map(np.array_equal, program.core.get_weights(), weights))
