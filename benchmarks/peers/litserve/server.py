"""LitServe serving the LSTM with one worker and no batching; the port is the first argument."""

import sys
from pathlib import Path

import litserve
import numpy as np
from ai_edge_litert.interpreter import Interpreter

NETWORK = Path(__file__).parents[3] / "models" / "lstm" / "1" / "model.tflite"


class Lstm(litserve.LitAPI):
    """One window per request."""

    def setup(self, _: str) -> None:
        self.interpreter = Interpreter(str(NETWORK), num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.result = self.interpreter.get_output_details()[0]["index"]

    def decode_request(self, request: dict[str, list[float]]) -> np.ndarray:
        return np.asarray(request["window"], np.float32).reshape(1, 5, 1)

    def predict(self, window: np.ndarray) -> float:
        self.interpreter.set_tensor(self.source, window)
        self.interpreter.invoke()
        return float(self.interpreter.get_tensor(self.result)[0, 0])

    def encode_response(self, prediction: float) -> dict[str, float]:
        return {"prediction": prediction}


if __name__ == "__main__":
    server = litserve.LitServer(Lstm(max_batch_size=1), accelerator="cpu", fast_queue=True)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False, generate_client_file=False)
