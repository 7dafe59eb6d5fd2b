"""MLServer serving the LSTM in the server's own process, without metrics; the port is the first argument."""

import sys
from pathlib import Path

import numpy as np
import uvloop
from ai_edge_litert.interpreter import Interpreter
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

NETWORK = Path(__file__).parents[3] / "models" / "lstm" / "1" / "model.tflite"


class Lstm(MLModel):
    """One window per request, by the Open Inference Protocol."""

    async def load(self) -> bool:
        self.interpreter = Interpreter(str(NETWORK), num_threads=1)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.result = self.interpreter.get_output_details()[0]["index"]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        window = np.asarray(payload.inputs[0].data.root, np.float32).reshape(1, 5, 1)
        self.interpreter.set_tensor(self.source, window)
        self.interpreter.invoke()
        data = self.interpreter.get_tensor(self.result)[0].tolist()
        output = ResponseOutput(name="prediction", shape=[1, 1], datatype="FP32", data=data)
        return InferenceResponse(model_name="lstm", outputs=[output])


async def serve(port: int) -> None:
    """Serve until a signal. gRPC cannot be turned off, so it listens on a free port, unused."""
    settings = Settings(
        debug=False,
        host="127.0.0.1",
        http_port=port,
        grpc_port=0,
        parallel_workers=0,
        metrics_endpoint=None,
        gzip_enabled=False,
    )
    await MLServer(settings).start([ModelSettings(name="lstm", implementation=Lstm)])


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
