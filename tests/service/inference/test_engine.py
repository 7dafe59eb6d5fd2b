import numpy as np
import pytest

from artifact import check_golden, verify
from service.inference.engine import CHUNK_ROWS, LiteRTEngine
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
