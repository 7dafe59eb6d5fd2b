"""Run a `.tflite` file with LiteRT: one interpreter, its shapes compared with the card."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import ClassVar

from ai_edge_litert.interpreter import Interpreter

from artifact.card import LITERT_FILE, Artifact, ArtifactError, Batch, TensorSpec


class LiteRTNetwork:
    """One interpreter, one thread at a time: an interpreter is not safe to share. Raises ArtifactError."""

    file: ClassVar[str] = LITERT_FILE

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
            check_shape(artifact, LITERT_FILE, spec, details["shape_signature"])

    def predict(self, windows: Batch) -> Batch:
        """Forecast (rows, window) → (rows, steps), float32. Safe to call from any thread."""
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


def check_shape(artifact: Artifact, file: str, spec: TensorSpec, shape: Iterable[int | None]) -> None:
    """Raise ArtifactError if a network's tensor has another shape than the card says."""
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
