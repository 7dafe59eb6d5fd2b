"""Export a fitted Keras model to the files of an artifact, and check that both files give the same numbers."""

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from artifact import KERAS_FILE, LITERT_FILE, ArtifactError, Batch, agree
from training.litert_weights import Template
from training.padding import pad_rows, padded

CONFIG = "config.json"  # in a `.keras` file: the layers, without their weights
Predict = Callable[[Batch], Batch]
"""(rows, window) → (rows, steps)."""


class Exported(NamedTuple):
    """The files of a model by name, and functions that run them."""

    files: dict[str, bytes]
    keras: Predict
    litert: Predict


class Exporter:
    """Export of one Keras model with one set of weights after another.

    variables: the weights that change. The `.tflite` file is converted once, and the weights are written into it; the
    model is made once of the `.keras` file, and then reads the weights of each. Whatever is published was run.
    """

    def __init__(self, model: keras.Model, variables: Sequence[keras.Variable]) -> None:
        self._model, self._variables = model, variables
        self._template = Template.make(variables, lambda: to_litert(model)) if variables else None
        self._reader = KerasReader()

    def export(self, windows: Batch) -> Exported:
        """Export the model with the weights that it has now. Raises ArtifactError as `export` does."""
        if self._template is not None:
            content = self._template.fill(self._variables)
            try:
                return self._proven(content, windows)
            except ArtifactError:
                self._template = None  # the converter has folded some weights into others
        return self._proven(to_litert(self._model), windows)

    def _proven(self, content: bytes, windows: Batch) -> Exported:
        files = {KERAS_FILE: _to_keras(self._model), LITERT_FILE: content}
        exported = Exported(files, self._reader.read(files[KERAS_FILE]), partial(predict_litert, content))
        _check(self._model.name, exported, windows)
        return exported


def export(model: keras.Model, windows: Batch) -> Exported:
    """Export to `.keras` and `.tflite`.

    windows: (rows, window). The two files are compared on these, and on a random batch within their range.
    Raises ArtifactError if their answers differ.
    """
    return Exporter(model, []).export(windows)


def _check(name: str, exported: Exported, windows: Batch) -> None:
    random = np.random.default_rng(0).uniform(windows.min(), windows.max(), (64, windows.shape[1]))
    for batch in (windows, random.astype(np.float32)):
        if not agree(exported.litert(batch), exported.keras(batch), batch):
            raise ArtifactError(f"{name}: {LITERT_FILE} and {KERAS_FILE} do not give the same predictions")


class KerasReader:
    """Runs `.keras` files: where one has the same layers as the last, only its weights are read."""

    def __init__(self) -> None:
        self._config = b""
        self._model: keras.Model | None = None

    def read(self, content: bytes) -> Predict:
        """A function that runs the file, until another one is read."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / KERAS_FILE
            path.write_bytes(content)
            with zipfile.ZipFile(path) as archive:
                config = archive.read(CONFIG)
            if self._model is None or config != self._config:
                self._config, self._model = config, keras.saving.load_model(path, compile=False, safe_mode=True)
                self._run = tf.function(self._model, autograph=False)
            else:
                self._model.load_weights(path)
        return partial(_run, self._run, self._model.input_shape[1:])


def _run(model: Predict, shape: tuple[int, ...], windows: Batch) -> Batch:
    rows = pad_rows(windows, padded(len(windows)))
    found: Batch = np.asarray(model(tf.constant(rows.reshape(-1, *shape))))
    return found[: len(windows)]


def _to_keras(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KERAS_FILE
        model.save(path)
        return path.read_bytes()


def to_litert(model: keras.Model) -> bytes:
    """Convert to the bytes of a `.tflite` file, which takes any number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        content: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
        return content


def predict_keras(content: bytes, windows: Batch) -> Batch:
    """Run the bytes of a `.keras` file, (rows, window) → (rows, steps)."""
    return KerasReader().read(content)(windows)


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
