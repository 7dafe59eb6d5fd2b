"""Fast lane: every connection gets the same bytes with it and without it, and leaves the same metrics and log lines."""

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from artifact import Batch
from service.inference.engine import Engine
from service.settings import Settings
from tests.repository import SHIPPED
from tests.service.connection.pair import REFUSALS, Pair, Refuser, post
from tests.service.connection.streams import KEY, SINGLES, streams


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Every setting that has a middleware of its own is set."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(hashlib.sha256(KEY.encode()).hexdigest())
    options: dict[str, Any] = {
        "api_keys_file": keys,
        "root_path": "/predict",
        "cors_origins": ["https://a.example"],
        "trusted_proxies": ["127.0.0.0/8"],
        "access_log": True,
    }
    with Pair(Settings(models_dir=SHIPPED, **REFUSALS, **options)) as pair:
        yield pair


@settings(max_examples=150, deadline=None)
@given(parts=streams())
def test_any_connection_gets_the_bytes_and_leaves_the_metrics_that_it_does_without_the_lane(
    pair: Pair, parts: list[bytes]
) -> None:
    with_lane, without = pair.ask(*parts)

    assert with_lane == without


@settings(max_examples=100, deadline=None)
@given(parts=streams())
def test_so_does_any_connection_with_keys_a_path_prefix_origins_proxies_and_an_access_log(
    guarded: Pair, parts: list[bytes]
) -> None:
    with_lane, without = guarded.ask(*parts)

    assert with_lane == without


@pytest.mark.parametrize(("path", "body"), SINGLES)
@pytest.mark.parametrize("prefix", ["", "/predict"])
def test_with_every_middleware_a_plain_single_request_gets_the_same_answer_and_leaves_the_same_log(
    guarded: Pair, prefix: str, path: str, body: bytes
) -> None:
    key = ("Authorization", f"Bearer {KEY}")

    with_lane, without = guarded.ask(post(prefix + path, body, key, ("x-forwarded-prefix", "/shown")))

    assert with_lane == without


class Failing(Engine):
    """An engine that fails as none should."""

    file = platform = "failing"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def predict(self, _: Batch) -> Batch:
        raise self._error


@pytest.mark.parametrize(("path", "body"), SINGLES)
@pytest.mark.parametrize("at", [30, -5, None])
def test_a_plain_single_request_never_comes_to_the_framework_however_it_is_cut(
    pair: Pair, path: str, body: bytes, at: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = post(path, body)
    monkeypatch.setattr(pair.app, "_app", Refuser())

    with_lane, _ = pair.ask(whole[:at], whole[at:] if at is not None else b"", last=b"")

    assert with_lane.answers.startswith(b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: ")
    assert sum(with_lane.recorded.values()) == 1


@pytest.mark.parametrize(("path", "body"), SINGLES)
def test_nor_does_one_with_a_key_and_every_middleware(
    guarded: Pair, path: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded.app, "_app", Refuser())

    with_lane, _ = guarded.ask(post("/predict" + path, body, ("Authorization", f"Bearer {KEY}")), last=b"")

    assert with_lane.answers.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(("path", "body"), SINGLES)
@pytest.mark.parametrize("error", [RuntimeError("inside"), MemoryError(), ValueError("inside")], ids=repr)
def test_any_exception_in_the_lane_is_answered_by_the_framework(
    pair: Pair, path: str, body: bytes, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = pair.app.lane._lifecycle._states
    for name, state in states.items():
        assert state.live is not None
        failing = dataclasses.replace(state.live, engine=Failing(error))
        monkeypatch.setitem(states, name, dataclasses.replace(state, live=failing))

    with_lane, without = pair.ask(post(path, body))

    assert with_lane == without
    assert with_lane.answers.startswith(b"HTTP/1.1 500 ")
    assert b"inside" not in with_lane.answers


def test_a_client_that_leaves_before_its_body_is_recorded_as_without_the_lane(pair: Pair) -> None:
    whole = post("/predict/mlp", b'{"value": 5}')

    with_lane, without = pair.ask(whole[:-3], last=b"")

    assert with_lane == without
    assert with_lane.recorded == {("/predict/{name}", 499): 1}


def test_a_model_that_is_not_there_is_answered_by_the_framework(pair: Pair) -> None:
    with_lane, without = pair.ask(post("/predict/none", b'{"value": 5}'))

    assert with_lane == without
    assert with_lane.answers.startswith(b"HTTP/1.1 404 ")


def test_a_lane_that_is_closed_admits_nothing(guarded: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = post("/predict/mlp", b'{"value": 5}', ("authorization", f"Bearer {KEY}"))
    before, _ = guarded.ask(whole)
    monkeypatch.setattr(guarded.app.lane, "_is_open", True)  # so that it is open again after this test
    guarded.app.lane.close()
    monkeypatch.setattr(guarded.app.lane, "answer", None)  # an error if it is called

    after, _ = guarded.ask(whole)

    assert after == before
