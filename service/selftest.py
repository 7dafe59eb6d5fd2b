"""The self-test of an artifact, in a process of its own: a damaged network can crash or hang whoever loads it."""

import base64
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from signal import Signals

from artifact import Artifact, ArtifactError, ModelCard, check_golden
from service.engine import ENGINES, unrunnable

COMMAND = [sys.executable, "-m", "service.selftest"]
SECONDS: float = 60  # TensorFlow, if it is asked for, takes a quarter of that to import on a slow machine
NICENESS = 5  # a third of the share that the requests have, which do not wait for it
PASSED: set[str] = set()  # by the card, checksums included: what this process need not test again
LITERT_BYTES = 4 * 2**30  # of address space: a tensor can be declared larger than the machine


def self_test(artifacts: Sequence[Artifact], engine: str) -> list[str | None]:
    """For each artifact None, if the engine loads it and repeats its golden samples, or what is wrong with it."""
    untested = [artifact for artifact in artifacts if _key(artifact, engine) not in PASSED]
    reasons: list[str | None] = []
    while len(reasons) < len(untested):
        reasons += _ask(untested[len(reasons) :], engine)
    found = {_key(artifact, engine): reason for artifact, reason in zip(untested, reasons, strict=True)}
    PASSED.update(key for key, reason in found.items() if reason is None)
    return [found.get(_key(artifact, engine)) for artifact in artifacts]


def _key(artifact: Artifact, engine: str) -> str:
    return hashlib.sha256(f"{engine} {artifact.card.model_dump_json()}".encode()).hexdigest()


def _ask(artifacts: Sequence[Artifact], engine: str) -> list[str | None]:
    """What another process says of the artifacts, up to and including the first one that ends it."""
    requests = "".join(_request(artifact, engine) for artifact in artifacts)
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            told, _ = process.communicate(requests, timeout=SECONDS)
            end = _name_end(process.returncode)
        except subprocess.TimeoutExpired:
            process.kill()
            told, _ = process.communicate()
            end = f"is not done within {SECONDS:g} seconds"
    reasons: list[str | None] = [json.loads(line) for line in told.splitlines()]
    if len(reasons) < len(artifacts):
        card = artifacts[len(reasons)].card
        reasons.append(f"{card.name}/{card.version}/{ENGINES[engine].file}: {end}")
    return reasons


def _request(artifact: Artifact, engine: str) -> str:
    content = base64.b64encode(artifact.files[ENGINES[engine].file]).decode()
    return json.dumps({"engine": engine, "card": artifact.card.model_dump(mode="json"), "content": content}) + "\n"


def _name_end(code: int) -> str:
    how = f"by {Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"ends the process that runs it, {how}"


def main() -> None:
    """Test each artifact that comes in, a line each, and say null or what is wrong with it, a line each."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["engine"] == "litert":
            resource.setrlimit(resource.RLIMIT_AS, (LITERT_BYTES, LITERT_BYTES))
        print(json.dumps(_test(request)), flush=True)


def _test(request: dict[str, str]) -> str | None:
    engine = ENGINES[request["engine"]]
    artifact = Artifact(ModelCard.model_validate(request["card"]), {engine.file: base64.b64decode(request["content"])})
    try:
        with unrunnable(artifact, engine.file):
            check_golden(artifact.card, engine(artifact).predict)
    except ArtifactError as error:
        return str(error)
    return None


if __name__ == "__main__":
    main()
