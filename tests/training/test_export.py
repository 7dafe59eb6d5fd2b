import keras
import numpy as np
import pytest

from artifact import KERAS_FILE, LITERT_FILE, ArtifactError, Batch
from training.export import export, predict_keras, predict_litert
from training.networks.registry import NETWORKS
from training.networks.scaling import with_rescaling


@pytest.mark.parametrize("name", [name for name in NETWORKS if not NETWORKS[name].combination_only])
def test_both_files_answer_like_the_model_at_any_number_of_rows(name: str) -> None:
    inputs = NETWORKS[name].inputs(np.arange(60.0).reshape(-1, 5))
    core = NETWORKS[name].build(inputs.shape[1], inputs)
    model = with_rescaling(core, np.arange(12.0) * 3)

    exported = export(model, windows_for(model, 1))

    for rows in (1, 2, 100):
        windows = windows_for(model, rows)
        expected = model(windows.reshape(rows, *model.input_shape[1:])).numpy()
        np.testing.assert_allclose(predict_keras(exported.files[KERAS_FILE], windows), expected, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(predict_litert(exported.files[LITERT_FILE], windows), expected, rtol=1e-5, atol=1e-4)


def windows_for(model: keras.Model, rows: int) -> Batch:
    return np.linspace(0, 60, rows * model.input_shape[1], dtype=np.float32).reshape(rows, -1)


def test_a_model_that_answers_nothing_finite_is_not_exported() -> None:
    model = NETWORKS["mlp"].build(1, None)
    model.layers[0].set_weights([np.full((1, 8), np.nan), np.zeros(8)])

    with pytest.raises(ArtifactError, match="do not give the same predictions"):
        export(model, np.ones((3, 1), np.float32))
