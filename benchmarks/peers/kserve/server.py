"""KServe's SDK around the LSTM, without gRPC; the port is the first argument."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer

NETWORK = Path(__file__).parents[3] / "models" / "lstm" / "1" / "model.tflite"


class Lstm(Model):
    """One window a request, by the Open Inference Protocol."""

    def __init__(self) -> None:
        super().__init__("lstm")
        self.interpreter = Interpreter(str(NETWORK), num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.result = self.interpreter.get_output_details()[0]["index"]
        self.ready = True

    async def predict(
        self, payload: InferRequest, headers: object = None, response_headers: object = None
    ) -> InferResponse:
        window = np.asarray(payload.inputs[0].data, np.float32).reshape(1, 5, 1)
        self.interpreter.set_tensor(self.source, window)
        self.interpreter.invoke()
        output = InferOutput("prediction", [1, 1], "FP32", self.interpreter.get_tensor(self.result)[0].tolist())
        return InferResponse(payload.id or "", "lstm", [output])


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, enable_latency_logging=False).start([Lstm()])
