"""Extrapolated rows: by the range of the training data, or by the shape of windows that a network scales itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact import Shapes
from artifact.repository import verify
from artifact.shape import scale_by_itself
from service.inference.engine import LiteRTEngine
from service.inference.forecast import Answering, Forecast, answer, forecast
from service.inference.loader import LiveModel
from service.inference.together import answer_together
from service.settings import Settings
from tests.repository import change_card, copy_of_shipped
from tests.service.connection.pair import Pair, post

TRAINED = np.lib.stride_tricks.sliding_window_view(np.sin(np.arange(200) / 3) + 2, 5).astype(np.float32)
SCALED = scale_by_itself(TRAINED)
SHAPES = Shapes(centre=SCALED.mean(axis=0).tolist(), width=SCALED.std(axis=0).tolist(), limit=3.0, positive=True)
SEEN, UNSEEN = TRAINED[7].tolist(), [1.0, 1.0, 1.0, 900.0, 1.0]


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped models, of which the LSTM has the shapes of windows of a sine."""
    folder = copy_of_shipped(tmp_path_factory.mktemp("shapes"))
    change_card(folder / "lstm" / "1", shapes=SHAPES.model_dump())
    return folder


@pytest.fixture(scope="module")
def model(models_dir: Path) -> LiveModel:
    artifact = verify(models_dir, "lstm", 1)
    return LiveModel(artifact.card, LiteRTEngine(artifact))


@pytest.fixture(scope="module")
def pair(models_dir: Path) -> Iterator[Pair]:
    with Pair(Settings(models_dir=models_dir)) as started:
        yield started


def rows_of(windows: Sequence[Sequence[float]]) -> Answering[Sequence[int]]:
    found: Forecast = yield np.array(windows, np.float32)
    return list(found.extrapolated)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.floats(-1e6, 1e6, width=32), min_size=5, max_size=5),
            st.integers(0, len(TRAINED) - 1).map(lambda row: TRAINED[row].tolist()),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_row_is_extrapolated_or_not_alone_in_a_batch_and_beside_other_requests(
    model: LiveModel, windows: list[list[float]]
) -> None:
    batch = list(forecast(model, np.array(windows, np.float32)).extrapolated)

    alone = [answer(model, rows_of([window])) for window in windows]
    together = answer_together(model, [rows_of([window]) for window in windows])

    assert alone == together
    assert [row for row, found in enumerate(alone) if found] == batch
    assert batch == np.flatnonzero(SHAPES.outside(np.array(windows, np.float32))).tolist()


@pytest.mark.parametrize("level", [1.0, 1000.0])
def test_a_known_shape_at_any_level_is_not_extrapolated_and_an_unseen_one_is(model: LiveModel, level: float) -> None:
    windows = np.array([SEEN, UNSEEN], np.float32) * level

    assert list(forecast(model, windows).extrapolated) == [1]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("/predict/lstm", '{"window": ', "}"),
        ("/forecast/lstm", '{"window": ', "}"),
        ("/predict/lstm/batch", '{"windows": [', "]}"),
        (
            "/v2/models/lstm/infer",
            '{"inputs": [{"name": "window", "shape": [1, 5], "datatype": "FP32", "data": ',
            "}]}",
        ),
    ],
)
def test_every_route_says_so(pair: Pair, path: str, before: str, after: str) -> None:
    marks = []
    for window in (SEEN, UNSEEN):
        with_lane, without = pair.ask(post(path, f"{before}{window}{after}".encode()))
        assert with_lane == without
        assert with_lane.answers.startswith(b"HTTP/1.1 200 ")
        marks.append(b'"extrapolated":true' in with_lane.answers or b'"extrapolated":[0]' in with_lane.answers)

    assert marks == [False, True]
