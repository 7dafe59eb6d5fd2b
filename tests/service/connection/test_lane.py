"""Fast lane: every connection gets the same bytes with it and without it, and leaves the same metrics and log lines."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import Batch
from service.connection.lane import MAX_BYTES
from service.inference.engine import Engine
from service.settings import Settings
from tests.repository import SHIPPED
from tests.service.connection.pair import Pair, post

KEY = "a key"
REFUSALS: dict[str, Any] = {"max_batch_rows": 3, "max_body_bytes": 50_000}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(Settings(models_dir=SHIPPED, **REFUSALS)) as pair:
        yield pair


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


NUMBERS = st.floats() | st.integers(-(10**40), 10**40) | st.floats(-200, 200) | st.booleans() | st.none() | st.text()
VALID = st.floats(-200, 200, width=32) | st.integers(-200, 200)
WINDOWS = st.lists(VALID, min_size=5, max_size=5) | st.lists(NUMBERS, max_size=7)
ROWS = st.lists(WINDOWS | VALID, max_size=4) | WINDOWS
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["window", "window", "value", "x"]),
        "shape": st.sampled_from([[1, 5], [1, 5, 1], [1], [1, 1], [2, 5], []]),
        "datatype": st.sampled_from(["FP32", "FP32", "FP64", "INT32", "INT8", "BOOL"]),
        "data": ROWS,
    },
    optional={"parameters": st.sampled_from([{}, {"binary_data_size": 20}, {"x": 1}, None])},
)
OUTPUTS = st.sampled_from(
    [
        [],
        [{"name": "prediction"}],
        [{"name": "lower_80"}],
        [{"name": "prediction", "parameters": {"binary_data": True}}],
    ]
)
PARAMETERS = st.sampled_from([{}, {"levels": [80]}, {"levels": "80,95"}, {"binary_data_output": True}])
OPEN_INFERENCE = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, min_size=1, max_size=1) | st.lists(TENSORS, max_size=2)},
    optional={"id": st.text(max_size=3) | NUMBERS, "parameters": PARAMETERS, "outputs": OUTPUTS},
)
TENSORFLOW_SERVING = st.fixed_dictionaries(
    {"instances": ROWS | st.lists(st.fixed_dictionaries({"window": WINDOWS}), max_size=2)},
    optional={"signature_name": st.sampled_from(["", "serving_default", "x", 1])},
) | st.fixed_dictionaries({"inputs": ROWS | st.fixed_dictionaries({"window": ROWS})})
DOCUMENTS = (
    st.fixed_dictionaries({"window": WINDOWS})
    | st.fixed_dictionaries({"value": VALID | NUMBERS})
    | st.fixed_dictionaries({"window": WINDOWS, "levels": st.lists(st.sampled_from([80, 95.0, 99.9, 0]), max_size=2)})
    | st.dictionaries(st.sampled_from(["window", "value", "x"]), WINDOWS | NUMBERS)
    | st.fixed_dictionaries({"windows": st.lists(WINDOWS, max_size=4)})
    | OPEN_INFERENCE
    | TENSORFLOW_SERVING
    | st.lists(NUMBERS)
)
BODIES = (
    DOCUMENTS.map(lambda document: json.dumps(document).encode())
    | st.binary(max_size=60)
    | st.sampled_from([MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, 9999, 10_000, 49_999, 50_001]).map(
        lambda size: b'{"value": 5' + b" " * (size - 12) + b"}"
    )
)
PATHS = st.sampled_from(
    [
        *["/predict/lstm", "/predict/mlp", "/forecast/lstm", "/forecast/mlp"] * 3,
        *["/v2/models/lstm/infer", "/v2/models/mlp/infer", "/v1/models/lstm:predict", "/v1/models/mlp:predict"] * 3,
        *["/predict/predict/lstm", "/predict/forecast/mlp", "/predict/v2/models/lstm/infer", "/predictor/predict/mlp"],
        *["/predict/lstm/", "/predict/lstm/batch", "/predict/gru", "/predict/", "/predict", "/x/predict/lstm", "/x"],
        *["/predict/%6cstm", "/predict/lstm%2f", "//predict/lstm", "/v2/models//infer", "/v1/models/:predict"],
        *["/predict/lstm?", "/predict/lstm?version=1", "/predict/lstm?version=2", "/v2/models/lstm/infer?x"],
        *["/v2/models/lstm/versions/1/infer", "/v1/models/lstm/versions/1:predict", "http://there/predict/lstm"],
    ]
)
HEADERS = st.lists(
    st.sampled_from(
        [
            ("Content-Type", "application/json"),
            ("content-type", "application/json; charset=utf-8"),
            ("content-type", "APPLICATION/JSON"),
            ("content-type", "text/plain"),
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Inference-Header-Content-Length", "10"),
            ("accept", "text/html"),
            ("Origin", "https://a.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-prefix", "/shown"),
            ("X-Request-ID", "mine"),
            ("X-Request-ID", "not valid"),
            ("connection", "keep-alive"),
            ("connection", "close"),
            ("expect", "100-continue"),
            ("upgrade", "h2c"),
            ("authorization", "Bearer wrong"),
        ]
    ),
    max_size=4,
)


SINGLES = [
    ("/predict/mlp", b'{"value": 5}'),
    ("/predict/lstm", b'{"window": [1, 2, 3, 4, 5]}'),
    ("/forecast/mlp", b'{"value": 5}'),
    ("/forecast/lstm", b'{"window": [1, 2, 3, 4, 5]}'),
    (
        "/v2/models/lstm/infer",
        b'{"inputs":[{"name":"window","shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]}],"id":"1"}',
    ),
    ("/v2/models/mlp/infer", b'{"inputs":[{"name":"value","shape":[2,1],"datatype":"INT8","data":[[1],[2]]}]}'),
    ("/v1/models/lstm:predict", b'{"instances": [[1, 2, 3, 4, 5]]}'),
    ("/v1/models/mlp:predict", b'{"inputs": [[5]]}'),
]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT", "HEAD", "OPTIONS"]))
    key = [("Authorization", f"Bearer {KEY}")] if draw(st.booleans()) else []
    if draw(st.booleans()):
        return post(*draw(st.sampled_from(SINGLES)), *key)
    return post(draw(PATHS), draw(BODIES), *key, *draw(HEADERS), method=method)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """One to three requests on a connection, cut into parts anywhere."""
    content = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=3)))
    return [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@settings(max_examples=700, deadline=None)
@given(parts=streams())
def test_any_connection_gets_the_bytes_and_leaves_the_metrics_that_it_does_without_the_lane(
    pair: Pair, parts: list[bytes]
) -> None:
    with_lane, without = pair.ask(*parts)

    assert with_lane == without


@settings(max_examples=500, deadline=None)
@given(parts=streams())
def test_so_does_any_connection_with_keys_a_path_prefix_origins_proxies_and_an_access_log(
    guarded: Pair, parts: list[bytes]
) -> None:
    with_lane, without = guarded.ask(*parts)

    assert with_lane == without


@settings(max_examples=60, deadline=None)
@given(contents=st.lists(requests(), min_size=2, max_size=40))
def test_requests_that_come_at_once_get_the_bytes_and_leave_the_metrics_that_they_do_without_the_lane(
    pair: Pair, contents: list[bytes]
) -> None:
    with_lane, without = pair.ask_at_once(contents)

    assert with_lane == without


FLOAT32 = st.floats(-(10**6), 10**6, width=32) | st.floats(width=32, allow_nan=False, allow_infinity=False)
LSTM_BODIES = st.lists(FLOAT32, min_size=5, max_size=5).map(lambda window: json.dumps({"window": window}).encode())


@settings(max_examples=60, deadline=None)
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


class Refuser:
    """An ASGI application that must not be called."""

    async def __call__(self, scope: Any, *_: object) -> None:
        raise AssertionError(scope["path"])


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


def test_a_model_that_is_not_loaded_is_loaded_and_answered_by_the_framework() -> None:
    with Pair(Settings(models_dir=SHIPPED, max_loaded=1)) as pair:
        for path, body in SINGLES:  # of one model and the other in turns
            with_lane, without = pair.ask(post(path, body))

            assert with_lane.answers == without.answers
            assert with_lane.answers.startswith(b"HTTP/1.1 200 ")
            assert with_lane.recorded == without.recorded


def test_a_lane_that_is_closed_admits_nothing(guarded: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = post("/predict/mlp", b'{"value": 5}', ("authorization", f"Bearer {KEY}"))
    before, _ = guarded.ask(whole)
    monkeypatch.setattr(guarded.app.lane, "_is_open", True)  # so that it is open again after this test
    guarded.app.lane.close()
    monkeypatch.setattr(guarded.app.lane, "answer", None)  # an error if it is called

    after, _ = guarded.ask(whole)

    assert after == before
