"""Inference engines: run a network's file with LiteRT, or with Keras if the settings say so."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from artifact import KERAS_FILE, LITERT_FILE, Artifact, ArtifactError, Batch
from artifact.litert import LiteRTNetwork, check_shape, unrunnable
from service.inference.keras_archive import check_archive

TOGETHER = 16  # rows; a run for them takes 1.2 to 1.5 times as long as one for a single row
LEAST_TOGETHER = 4  # rows; fewer are rare unless the model is often asked for, and not worth an interpreter
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

    def predict_each(self, rows: Sequence[Batch]) -> Sequence[Batch]:
        """Forecast rows, (1, window) each → (1, steps) each: the same bits as `predict` gives for each alone."""
        return [self.predict(row) for row in rows]


class LiteRTEngine(Engine):
    """Runs the artifact's `.tflite` file. Raises ArtifactError if LiteRT cannot."""

    file = LITERT_FILE
    platform = "litert"

    def __init__(self, artifact: Artifact) -> None:
        # An interpreter takes 100 to 300 KB. Most of thousands of models are asked for single rows only.
        self._single = LiteRTNetwork(artifact)
        self._artifact = artifact._replace(files={LITERT_FILE: artifact.files[LITERT_FILE]})

    # Resizing allocates, so single rows have an interpreter that keeps its size. Small batches run on the event loop
    # and have one of their own, so that the loop never waits for a large batch in a thread.
    @cached_property
    def _small(self) -> LiteRTNetwork:
        return LiteRTNetwork(self._artifact)

    @cached_property
    def _large(self) -> LiteRTNetwork:
        return LiteRTNetwork(self._artifact)

    # Of a size that it keeps, too: for single rows of requests that came at the same time.
    @cached_property
    def _together(self) -> LiteRTNetwork:
        return LiteRTNetwork(self._artifact)

    @cached_property
    def _is_same_together(self) -> bool:
        """Whether a row's forecast has the same bits alone and beside others.

        Random rows show it for all rows: the order of a kernel's operations does not depend on the values. A network
        that cannot be run for several rows gives no forecast for them; it is not tried again.
        """
        low, high = self._artifact.card.input_range
        rows = np.random.default_rng(0).uniform(low, high, (TOGETHER, self._artifact.card.window)).astype(np.float32)
        alone = [self._single.predict(rows[number : number + 1]) for number in range(TOGETHER)]
        try:
            together = self._together.predict(rows)
        except (ArtifactError, RuntimeError, ValueError, MemoryError):
            return False
        return together.tobytes() == b"".join([values.tobytes() for values in alone])

    def predict_each(self, rows: Sequence[Batch]) -> Sequence[Batch]:
        if len(rows) < LEAST_TOGETHER or not self._is_same_together:
            return super().predict_each(rows)
        windows = np.zeros((-(-len(rows) // TOGETHER), TOGETHER, rows[0].size), np.float32)
        np.concatenate(rows, out=windows.reshape(-1, rows[0].size)[: len(rows)])
        values = np.concatenate([self._together.predict(chunk) for chunk in windows])
        return np.split(values[: len(rows)], len(rows))

    def predict(self, windows: Batch) -> Batch:
        if len(windows) == 1:
            return self._single.predict(windows)
        if len(windows) <= CHUNK_ROWS:
            return self._small.predict(windows)
        return self._in_chunks(windows)

    def _in_chunks(self, windows: Batch) -> Batch:
        chunks = [windows[first : first + CHUNK_ROWS] for first in range(0, len(windows), CHUNK_ROWS)]
        return np.concatenate([self._large.predict(chunk) for chunk in chunks])


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
            check_shape(artifact, KERAS_FILE, spec, shape)

    def predict(self, windows: Batch) -> Batch:
        forecasts: Batch = self._run(windows.reshape(-1, *self._row_shape)).numpy()
        return forecasts


ENGINES: Mapping[str, type[Engine]] = {"litert": LiteRTEngine, "keras": KerasEngine}
