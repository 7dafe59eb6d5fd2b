"""Run a `.tflite` file with LiteRT: one interpreter, its shapes compared with the card."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import ClassVar

from ai_edge_litert.interpreter import Interpreter

from artifact.card import LITERT_FILE, Artifact, ArtifactError, Batch, TensorSpec


class LiteRTNetwork:
    """A network run by one LiteRT interpreter, behind a lock: interpreters are not thread-safe.

    The constructor raises ArtifactError if the file cannot be run or its shapes are not those on the card.
    """

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
        """Forecast, (rows, window) → (rows, steps), float32. Thread-safe."""
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
    """Raise ArtifactError if the shape of a network's tensor differs from the card. -1 or None: number of rows."""
    found = [None if size in (None, -1) else int(size) for size in shape]
    if found != spec.shape:
        label = f"{artifact.card.name}/{artifact.card.version}/{file}"
        raise ArtifactError(f"{label}: has the shape {found} where its card says {spec.shape}")


@contextmanager
def unrunnable(artifact: Artifact, file: str) -> Iterator[None]:
    """Context manager: convert library errors about a file that cannot be run into ArtifactError."""
    card = artifact.card
    try:
        yield
    except (ValueError, RuntimeError, TypeError, KeyError, IndexError):
        raise ArtifactError(f"{card.name}/{card.version}/{file}: cannot be run") from None
