import numpy as np
import pytest

from artifact import Batch, check_golden, verify
from service.inference.engine import CHUNK_ROWS, LEAST_TOGETHER, TOGETHER, LiteRTEngine
from tests.repository import SHIPPED


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_an_engine_repeats_the_golden_samples(name: str) -> None:
    artifact = verify(SHIPPED, name, 1)

    check_golden(artifact.card, LiteRTEngine(artifact).predict)


@pytest.mark.parametrize("rows", [1, 2, CHUNK_ROWS, CHUNK_ROWS + 1])
def test_a_batch_of_any_size_has_a_row_of_every_step_for_each_window_in_order(rows: int) -> None:
    engine = LiteRTEngine(verify(SHIPPED, "mlp", 1))
    windows = np.linspace(4, 103, rows, dtype=np.float32).reshape(rows, 1)

    forecasts = engine.predict(windows)

    assert forecasts.shape == (rows, 1)
    np.testing.assert_allclose(forecasts[:, 0], 1.8 * windows[:, 0] - 1.2, atol=0.01)


@pytest.mark.parametrize("name", ["lstm", "mlp"])
@pytest.mark.parametrize("count", [2, LEAST_TOGETHER, TOGETHER - 1, TOGETHER, 3 * TOGETHER + 1])
def test_rows_together_have_the_bits_that_each_has_alone(name: str, count: int) -> None:
    engine = LiteRTEngine(verify(SHIPPED, name, 1))
    window = engine._artifact.card.window
    scales = 10.0 ** np.arange(count).reshape(-1, 1, 1) / 10.0 ** (count // 2)
    rows = list((np.random.default_rng(count).normal(size=(count, 1, window)) * scales).astype(np.float32))

    together = engine.predict_each(rows)

    assert engine._is_same_together
    assert [values.tobytes() for values in together] == [engine.predict(row).tobytes() for row in rows]


def test_rows_are_run_one_by_one_where_the_network_gives_other_bits_for_them_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = LiteRTEngine(verify(SHIPPED, "mlp", 1))
    rows = [np.full((1, 1), value, np.float32) for value in range(LEAST_TOGETHER)]
    alone = [engine.predict(row).tobytes() for row in rows]
    run = engine._together.predict
    monkeypatch.setattr(engine._together, "predict", lambda windows: run(windows) * np.float32(1.0001))

    together = engine.predict_each(rows)

    assert [values.tobytes() for values in together] == alone


def test_a_network_that_cannot_be_run_for_rows_together_runs_them_one_by_one_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = LiteRTEngine(verify(SHIPPED, "mlp", 1))
    rows = [np.full((1, 1), value, np.float32) for value in range(LEAST_TOGETHER)]
    tried: list[int] = []

    def fail(windows: Batch) -> Batch:
        tried.append(len(windows))
        raise RuntimeError("as LiteRT does for a shape that it cannot have")

    monkeypatch.setattr(engine._together, "predict", fail)

    for _ in range(3):
        assert [values.tobytes() for values in engine.predict_each(rows)] == [
            engine.predict(row).tobytes() for row in rows
        ]
    assert tried == [TOGETHER]
