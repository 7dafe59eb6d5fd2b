"""The servers that are measured beside each other, without the peers."""

from benchmarks.load import Candidate
from benchmarks.peers import OPEN_INFERENCE

UVICORN = ["-m", "uvicorn", "--port", "{port}", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
SERVICE = ["-m", "service", "--port", "{port}"]
STAGE = "benchmarks.candidates.stages"

OURS = Candidate("lagcast", SERVICE)
MLP = Candidate("lagcast, MLP", SERVICE, "/predict/mlp", '{"value": 5}')
V2 = Candidate("lagcast, v2 infer", SERVICE, "/v2/models/lstm/infer", OPEN_INFERENCE)
V1 = Candidate(
    "lagcast, TensorFlow Serving predict", SERVICE, "/v1/models/lstm:predict", '{"instances": [[1, 2, 3, 4, 5]]}'
)
CONNECTION = Candidate("lagcast, cut before parsing", ["-m", STAGE, "connection", "--port", "{port}"])
PARSING = Candidate("lagcast, cut before LiteRT", ["-m", STAGE, "parsing", "--port", "{port}"])
FLOOR = Candidate("bare ASGI echo", [*UVICORN, "--lifespan", "off", "benchmarks.candidates.floor:app"])
ORDINARY = Candidate("FastAPI's ordinary route", [*UVICORN, "benchmarks.candidates.ordinary:app"])
PREDICT = Candidate("FastAPI with model.predict", [*UVICORN, "benchmarks.candidates.keras_predict:app"], many=4)
