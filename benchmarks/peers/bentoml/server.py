"""BentoML serving the LSTM with one worker: `bentoml serve server:Lstm` in this folder, host and port as options."""

from pathlib import Path

import bentoml
import numpy as np
from ai_edge_litert.interpreter import Interpreter

NETWORK = Path(__file__).parents[3] / "models" / "lstm" / "1" / "model.tflite"


@bentoml.service(
    workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False}, tracing={"sample_rate": 0.0}
)
class Lstm:
    """One window per request."""

    def __init__(self) -> None:
        self.interpreter = Interpreter(str(NETWORK), num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.result = self.interpreter.get_output_details()[0]["index"]

    @bentoml.api
    async def predict(self, window: list[float]) -> dict[str, float]:
        self.interpreter.set_tensor(self.source, np.asarray(window, np.float32).reshape(1, 5, 1))
        self.interpreter.invoke()
        return {"prediction": float(self.interpreter.get_tensor(self.result)[0, 0])}
