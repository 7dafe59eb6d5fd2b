"""Requests to models that are not loaded: answered and recorded as without the fast lane, whatever happens."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from artifact import Artifact, ArtifactError
from service.connection import cold
from service.inference.engine import Engine, LiteRTEngine
from service.settings import Settings
from tests.repository import SHIPPED
from tests.service.connection.pair import Outcome, Pair, post
from tests.service.connection.streams import streams

LSTM = post("/predict/lstm", b'{"window": [1, 2, 3, 4, 5]}')
MLP = post("/predict/mlp", b'{"value": 5}')


class Engines:
    """Makes engines once `may_load` is set, or raises."""

    def __init__(self) -> None:
        self.may_load = threading.Event()
        self.may_load.set()
        self.is_failing = False

    def __call__(self, artifact: Artifact) -> Engine:
        assert self.may_load.wait(60)
        if self.is_failing:
            raise ArtifactError("damaged")
        return LiteRTEngine(artifact)


@pytest.fixture(scope="module")
def shared() -> Iterator[Pair]:
    with Pair(Settings(models_dir=SHIPPED, max_loaded=1)) as pair:
        yield pair


@pytest.fixture
def engines(shared: Pair, monkeypatch: pytest.MonkeyPatch) -> Engines:
    """What makes the engines of the shared service, which has the LSTM loaded, so that the MLP is not."""
    made = Engines()
    monkeypatch.setattr(shared.app.lane._lifecycle.loader, "_make_engine", made)
    shared.ask(LSTM)
    return made


def seen(outcome: Outcome) -> tuple[object, ...]:
    """What a client and an operator see; predictions of a model that was put away are not counted by its name."""
    return outcome.answers, outcome.recorded, outcome.lines


@settings(max_examples=60, deadline=None)
@given(parts=streams())
def test_any_connection_gets_the_bytes_that_it_does_without_the_lane(shared: Pair, parts: list[bytes]) -> None:
    with_lane, without = shared.ask(*parts)

    assert seen(with_lane) == seen(without)


def test_requests_that_are_pipelined_to_one_model_and_the_other_are_answered_in_order(shared: Pair) -> None:
    with_lane, without = shared.ask(LSTM + MLP + LSTM + MLP)

    assert seen(with_lane) == seen(without)
    assert with_lane.recorded[("/predict/{name}", 200)] == 4


@pytest.mark.usefixtures("engines")
def test_more_requests_at_once_than_wait_in_the_lane_are_all_answered(shared: Pair) -> None:
    with_lane, without = shared.ask_at_once([MLP] * (cold.MOST + 20))

    assert with_lane.answers == without.answers
    assert with_lane.recorded[("/predict/{name}", 200)] == cold.MOST + 20


def test_a_load_that_takes_longer_than_requests_wait_in_the_lane_is_waited_for_by_the_framework(
    shared: Pair, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold, "WAIT_SECONDS", 0.01)
    engines.may_load.clear()
    later = threading.Timer(0.2, engines.may_load.set)
    later.start()

    with_lane, without = shared.ask(MLP)

    later.join()
    assert with_lane.answers == without.answers
    assert with_lane.recorded[("/predict/{name}", 200)] == 1


def test_a_client_that_leaves_during_the_load_is_recorded_as_gone(shared: Pair, engines: Engines) -> None:
    engines.may_load.clear()
    with_lane, _ = shared.ask(MLP, last=b"", is_leaving=True)
    engines.may_load.set()

    assert with_lane.recorded == {("/predict/{name}", 499): 1}
    later, _ = shared.ask(MLP)
    assert later.answers.startswith(b"HTTP/1.1 200 ")


def test_a_model_that_cannot_be_loaded_is_answered_by_the_framework(shared: Pair, engines: Engines) -> None:
    engines.is_failing = True

    with_lane, without = shared.ask(MLP)

    assert seen(with_lane) == seen(without)
    assert with_lane.answers.startswith(b"HTTP/1.1 503 ")
