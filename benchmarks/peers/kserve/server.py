"""KServe's SDK serving the LSTM on the loopback, without gRPC and logs; the port is the first argument."""

import logging
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.protocol.rest.server import RESTServer

NETWORK = Path(__file__).parents[3] / "models" / "lstm" / "1" / "model.tflite"


class Lstm(Model):
    """One window per request, by the Open Inference Protocol."""

    def __init__(self) -> None:
        super().__init__("lstm")
        self.enable_latency_logging = False
        self.interpreter = Interpreter(str(NETWORK), num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.result = self.interpreter.get_output_details()[0]["index"]
        self.ready = True

    async def predict(self, payload: InferRequest, *_: object, **__: object) -> InferResponse:
        window = np.asarray(payload.inputs[0].data, np.float32).reshape(1, 5, 1)
        self.interpreter.set_tensor(self.source, window)
        self.interpreter.invoke()
        output = InferOutput("prediction", [1, 1], "FP32", self.interpreter.get_tensor(self.result)[0].tolist())
        return InferResponse(payload.id or "", "lstm", [output])


if __name__ == "__main__":
    server = ModelServer()
    server.register_model(Lstm())
    logging.getLogger("kserve.trace").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").handlers.clear()
    # ModelServer.start always listens on every address and never uses uvloop; neither can be configured.
    rest = RESTServer("kserve.model_server:app", server.dataplane, server.model_repository_extension, int(sys.argv[1]))
    rest.config.host = "127.0.0.1"
    rest.run()
