"""Requests that come in one turn of the event loop: one run of the network, and what each of them gets alone."""

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import Batch
from service.inference.engine import Engine
from service.settings import Settings
from tests.service.connection.pair import REFUSALS, Pair, Refuser, post
from tests.service.connection.streams import SINGLES, requests


@settings(max_examples=40, deadline=None)
@given(contents=st.lists(requests(), min_size=2, max_size=40))
def test_requests_that_come_at_once_get_the_bytes_and_leave_the_metrics_that_they_do_without_the_lane(
    pair: Pair, contents: list[bytes]
) -> None:
    with_lane, without = pair.ask_at_once(contents)

    assert with_lane == without


HEALTH = b"GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n"


@pytest.mark.parametrize("cut_off", [0, 30, -3])
@pytest.mark.parametrize("first", [HEALTH, post(*SINGLES[1]), post(SINGLES[1][0], b"{}")])
def test_a_client_that_half_closes_gets_the_answers_to_all_its_whole_requests(
    pair: Pair, first: bytes, cut_off: int
) -> None:
    right, wrong = post(*SINGLES[1]), post(SINGLES[1][0], b"{}")
    content = first + right + wrong + HEALTH + right + right[:cut_off]

    with_lane, without = pair.ask_at_once([content] * 5, last=b"")
    later = pair.ask(content, last=b"")

    assert with_lane == without
    for answers in [*with_lane.answers, *(outcome.answers for outcome in later)]:
        assert re.findall(rb"HTTP/1.1 (\d+)", answers)[1:] == [b"200", b"422", b"200", b"200"]


FLOAT32 = st.floats(-(10**6), 10**6, width=32) | st.floats(width=32, allow_nan=False, allow_infinity=False)
LSTM_BODIES = st.lists(FLOAT32, min_size=5, max_size=5).map(lambda window: json.dumps({"window": window}).encode())


@settings(max_examples=40, deadline=None)
@given(bodies=st.lists(LSTM_BODIES, min_size=2, max_size=40))
def test_windows_that_come_at_once_get_the_digits_and_the_overflows_that_each_of_them_gets_alone(
    pair: Pair, bodies: list[bytes]
) -> None:
    with_lane, without = pair.ask_at_once([post("/predict/lstm", body) for body in bodies])

    assert with_lane == without


class Counting(Engine):
    """An engine that notes how many rows each run of its network has."""

    file = platform = "counting"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.runs: list[int] = []

    def predict(self, windows: Batch) -> Batch:
        self.runs.append(len(windows))
        return self._engine.predict(windows)

    def predict_each(self, rows: Sequence[Batch]) -> Sequence[Batch]:
        self.runs.append(len(rows))
        return self._engine.predict_each(rows)


def test_requests_for_a_model_that_come_at_once_are_one_run_whatever_protocol_they_have(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = pair.app.lane._lifecycle._states
    live = states["lstm"].live
    assert live is not None
    counting = Counting(live.engine)
    state = dataclasses.replace(states["lstm"], live=dataclasses.replace(live, engine=counting))
    monkeypatch.setitem(states, "lstm", state)
    monkeypatch.setattr(pair.app, "_app", Refuser())
    contents = [post(path, body) for path, body in SINGLES if "lstm" in path] * 5

    with_lane, _ = pair.ask_at_once(contents, last=b"")

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in with_lane.answers)
    assert counting.runs == [len(contents)] + [1] * len(contents)  # with the lane, and without it


def test_of_requests_that_come_at_once_only_the_wrong_ones_go_to_the_framework(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_on: list[bytes] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        passed_on.append((await receive())["body"])
        raise RuntimeError("so that the connection is closed")

    monkeypatch.setattr(pair.app, "_app", note)
    overflow, wrong, right = (b'{"window": [3e38, 3e38, 3e38, 3e38, 3e38]}', b'{"window": [1]}', SINGLES[1][1])

    pair.ask_at_once([post("/predict/lstm", body) for body in (right, overflow, right, wrong, right)], last=b"")

    assert sorted(passed_on) == sorted([overflow, wrong])


@pytest.fixture(scope="module")
def airline_pair(airline_models: Path) -> Iterator[Pair]:
    """With a model that has intervals."""
    with Pair(Settings(models_dir=airline_models, **REFUSALS)) as pair:
        yield pair


VALUES = st.floats(-(10**6), 10**6, width=32) | st.sampled_from([3e38, -3e38, 3e36])
ROWS = st.lists(VALUES, min_size=24, max_size=24) | st.sampled_from([3e38, 1.0]).map(lambda value: [value] * 24)
LEVELS = st.sampled_from([[80, 95], [80, 95], [95, 80.0], [80, 80], [50.5], [], [99.9], [0]])


@st.composite
def questions(draw: st.DrawFn) -> bytes:
    """A request for the airline model's forecasts, with levels or without, some of which are out of reach."""
    rows, levels = draw(st.lists(ROWS, min_size=1, max_size=2)), draw(LEVELS)
    if draw(st.booleans()):
        return post("/forecast/airline", json.dumps({"window": rows[0], "levels": levels}).encode())
    if draw(st.booleans()):
        return post("/predict/airline", json.dumps({"window": rows[0]}).encode())
    tensor = {"name": "window", "shape": [len(rows), 24], "datatype": "FP32", "data": rows}
    body = {"inputs": [tensor], "parameters": {"levels": levels}}
    return post("/v2/models/airline/infer", json.dumps(body).encode())


@settings(max_examples=40, deadline=None)
@given(contents=st.lists(questions(), min_size=2, max_size=40))
def test_intervals_that_are_asked_for_at_once_have_the_digits_that_each_of_them_has_alone(
    airline_pair: Pair, contents: list[bytes]
) -> None:
    with_lane, without = airline_pair.ask_at_once(contents)

    assert with_lane == without


def test_plain_requests_for_intervals_that_come_at_once_never_come_to_the_framework(
    airline_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airline_pair.app, "_app", Refuser())
    bodies = [json.dumps({"window": [100.0 + row] * 24, "levels": [80, 95 - row % 2]}).encode() for row in range(20)]

    with_lane, _ = airline_pair.ask_at_once([post("/forecast/airline", body) for body in bodies], last=b"")

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in with_lane.answers)
    assert all(answer.count(b'"lower":[') == 2 for answer in with_lane.answers)
