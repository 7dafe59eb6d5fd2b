"""Export a fitted Keras model to the files of an artifact, and check that both files give the same numbers."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from artifact import KERAS_FILE, LITERT_FILE, ArtifactError, Batch, agree


def export(model: keras.Sequential, windows: Batch) -> dict[str, bytes]:
    """Export to `.keras` and `.tflite`; returns the files' bytes by name.

    windows: (rows, window). The two files are compared on these, and on a random batch within their range.
    Raises ArtifactError if their answers differ.
    """
    files = {KERAS_FILE: _to_keras(model), LITERT_FILE: to_litert(model)}
    random = np.random.default_rng(0).uniform(windows.min(), windows.max(), (64, windows.shape[1]))
    for batch in (windows, random.astype(np.float32)):
        expected = predict_keras(files[KERAS_FILE], batch)
        if not agree(predict_litert(files[LITERT_FILE], batch), expected):
            raise ArtifactError(f"{model.name}: {LITERT_FILE} and {KERAS_FILE} do not give the same predictions")
    return files


def _to_keras(model: keras.Sequential) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KERAS_FILE
        model.save(path)
        return path.read_bytes()


def to_litert(model: keras.Sequential) -> bytes:
    """Convert to the bytes of a `.tflite` file, which takes any number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        content: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
        return content


def predict_keras(content: bytes, windows: Batch) -> Batch:
    """Run the bytes of a `.keras` file, (rows, window) → (rows, steps)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KERAS_FILE
        path.write_bytes(content)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return np.asarray(model(windows.reshape(-1, *model.input_shape[1:])))


def predict_litert(content: bytes, windows: Batch) -> Batch:
    """Run the bytes of a `.tflite` file, (rows, window) → (rows, steps)."""
    interpreter = Interpreter(model_content=content)
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], [len(windows), *source["shape_signature"][1:]])
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], windows.reshape(-1, *source["shape_signature"][1:]))
    interpreter.invoke()
    predictions: Batch = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return predictions
