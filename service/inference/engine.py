"""Inference engines: run a network's file with LiteRT, or with Keras if the settings say so."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import ClassVar

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from artifact import KERAS_FILE, LITERT_FILE, Artifact, ArtifactError, Batch, TensorSpec
from service.inference.keras_archive import check_archive

CHUNK_ROWS = 4096  # an interpreter keeps the memory of its largest batch: a few MB at this size


class Engine(ABC):
    """Runs a network; `file` is the file of the artifact that it reads."""

    file: ClassVar[str]
    platform: ClassVar[str]

    @abstractmethod
    def __init__(self, artifact: Artifact) -> None: ...

    @abstractmethod
    def predict(self, windows: Batch) -> Batch:
        """Forecast (rows, window) → (rows, steps), float32. Safe to call from any thread."""


class LiteRTEngine(Engine):
    """Runs the artifact's `.tflite` file. Raises ArtifactError if LiteRT cannot."""

    file = LITERT_FILE
    platform = "litert"

    def __init__(self, artifact: Artifact) -> None:
        # Resizing allocates, so single rows have an interpreter that keeps its size. Small batches run on the event
        # loop and have one of their own, so that the loop never waits for a large batch in a thread.
        self._single = _Runner(artifact)
        self._small = _Runner(artifact)
        self._large = _Runner(artifact)

    def predict(self, windows: Batch) -> Batch:
        if len(windows) == 1:
            return self._single.run(windows)
        if len(windows) <= CHUNK_ROWS:
            return self._small.run(windows)
        chunks = [windows[first : first + CHUNK_ROWS] for first in range(0, len(windows), CHUNK_ROWS)]
        return np.concatenate([self._large.run(chunk) for chunk in chunks])


class _Runner:
    """One interpreter behind a lock: it is not safe to use from two threads at once."""

    def __init__(self, artifact: Artifact) -> None:
        self._lock = Lock()
        self._row_shape = artifact.card.input.row_shape
        self._rows = 0
        with unrunnable(artifact, LITERT_FILE):
            self._interpreter = Interpreter(model_content=artifact.files[LITERT_FILE], num_threads=1)
            source, result = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
            self._input, self._output = source["index"], result["index"]
            self._resize(1)
        for spec, details in ((artifact.card.input, source), (artifact.card.output, result)):
            _check_shape(artifact, LITERT_FILE, spec, details["shape_signature"])

    def run(self, windows: Batch) -> Batch:
        with self._lock:
            if len(windows) != self._rows:
                self._resize(len(windows))
            self._interpreter.set_tensor(self._input, windows.reshape(self._shape))
            self._interpreter.invoke()
            forecasts: Batch = self._interpreter.get_tensor(self._output)
            return forecasts

    def _resize(self, rows: int) -> None:
        self._shape = (rows, *self._row_shape)
        self._interpreter.resize_tensor_input(self._input, self._shape)
        self._interpreter.allocate_tensors()
        self._rows = rows


class KerasEngine(Engine):
    """Runs the artifact's `.keras` file with TensorFlow. Raises ArtifactError if Keras cannot."""

    file = KERAS_FILE
    platform = "keras"

    def __init__(self, artifact: Artifact) -> None:
        check_archive(artifact.files[KERAS_FILE], f"{artifact.card.name}/{artifact.card.version}/{KERAS_FILE}")
        import keras
        import tensorflow as tf

        self._row_shape = artifact.card.input.row_shape
        with unrunnable(artifact, KERAS_FILE), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / KERAS_FILE
            path.write_bytes(artifact.files[KERAS_FILE])
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
            self._run = tf.function(model, [tf.TensorSpec((None, *self._row_shape), tf.float32)])
            self._run.get_concrete_function()
        for spec, shape in ((artifact.card.input, model.input_shape), (artifact.card.output, model.output_shape)):
            _check_shape(artifact, KERAS_FILE, spec, shape)

    def predict(self, windows: Batch) -> Batch:
        forecasts: Batch = self._run(windows.reshape(-1, *self._row_shape)).numpy()
        return forecasts


def _check_shape(artifact: Artifact, file: str, spec: TensorSpec, shape: Iterable[int | None]) -> None:
    found = [None if size in (None, -1) else int(size) for size in shape]
    if found != spec.shape:
        label = f"{artifact.card.name}/{artifact.card.version}/{file}"
        raise ArtifactError(f"{label}: has the shape {found} where its card says {spec.shape}")


@contextmanager
def unrunnable(artifact: Artifact, file: str) -> Iterator[None]:
    """Turn what the libraries raise on a file that they cannot run into an ArtifactError."""
    card = artifact.card
    try:
        yield
    except (ValueError, RuntimeError, TypeError, KeyError, IndexError):
        raise ArtifactError(f"{card.name}/{card.version}/{file}: cannot be run") from None


ENGINES: Mapping[str, type[Engine]] = {"litert": LiteRTEngine, "keras": KerasEngine}
