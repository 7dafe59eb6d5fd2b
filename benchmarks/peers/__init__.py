"""Other model servers, one folder each with server and pinned requirements; `make bench-peers` installs them."""

from pathlib import Path

from benchmarks.load import CHECKOUT, Candidate

OPEN_INFERENCE = '{"inputs": [{"name": "window", "shape": [1, 5, 1], "datatype": "FP32", "data": [1, 2, 3, 4, 5]}]}'


def _python(name: str) -> Path:
    return CHECKOUT / "benchmarks" / "peers" / name / ".venv" / "bin" / "python"


def _command(name: str) -> list[str]:
    return [f"benchmarks/peers/{name}/server.py", "{port}"]


PEERS = [
    Candidate("KServe", _command("kserve"), "/v2/models/lstm/infer", OPEN_INFERENCE, _python("kserve")),
    Candidate("MLServer", _command("mlserver"), "/v2/models/lstm/infer", OPEN_INFERENCE, _python("mlserver")),
    Candidate("LitServe", _command("litserve"), "/predict", python=_python("litserve")),
    Candidate(
        "BentoML",
        ["-m", "bentoml", "serve", "server:Lstm", "--working-dir", "benchmarks/peers/bentoml", "--port", "{port}"],
        "/predict",
        python=_python("bentoml"),
        environment={"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOST": "127.0.0.1"},
    ),
]
