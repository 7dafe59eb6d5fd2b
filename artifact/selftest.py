"""The self-test process: load a version's files, verify them, and run the network on the card's golden samples.

It runs separately because a damaged network can crash or hang its process, and a damaged card can take much memory
to parse. `artifact.tester` starts the process and sends it versions to test.

`python -m artifact.selftest DESCRIPTOR LOADER`: DESCRIPTOR is the file descriptor of a socket. LOADER is
`module:attribute`; it is called with an Artifact and returns an object whose `predict` maps (rows, window) to
(rows, steps).
"""

import json
import resource
import signal
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from artifact import ArtifactError, check_golden
from artifact.litert import unrunnable
from artifact.repository import Content, check_content

IDLE_SECONDS: float = 60  # starting a process takes 0.25 s of CPU; keeping it takes 50 MB
MEMORY_BYTES = 4 * 2**30  # of address space: a damaged file can declare a tensor larger than the machine's memory


def main(arguments: list[str]) -> None:
    """Send "ready", then test each folder named on the connection, until it is closed or idle for IDLE_SECONDS."""
    connection = Connection(int(arguments[0]))
    module, _, attribute = arguments[1].partition(":")
    load = getattr(import_module(module), attribute)
    if load.file.endswith(".tflite"):  # TensorFlow reserves far more address space than it uses
        limit_memory()
    connection.send_bytes(b'"ready"')
    while connection.poll(IDLE_SECONDS):
        try:
            request = json.loads(connection.recv_bytes())
        except EOFError:
            return
        signal.alarm(int(request["seconds"]) + 2)  # ends this process even if its parent has died
        connection.send_bytes(json.dumps(_test(load, request)).encode())
        signal.alarm(0)


def limit_memory() -> None:
    """Limit the address space to MEMORY_BYTES, or to the hard limit of the process if that is lower."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _test(load: Any, request: dict[str, Any]) -> dict[str, str]:
    """Test one version: {} if it is good; else `bad` or `unknown` with the reason, and the `stage` that failed."""
    stage = "verification"
    try:
        content = Content.unpack(Path(request["content"]).read_bytes())
        artifact = check_content(content, request["name"], request["version"])
        stage = "self-test"
        with unrunnable(artifact, load.file):
            check_golden(artifact.card, load(artifact).predict)
    except ArtifactError as error:
        return {"bad": str(error), "stage": stage}
    except (MemoryError, OSError, ValueError) as error:
        return {"unknown": f"the self-test failed: {type(error).__name__}", "stage": stage}
    return {}


if __name__ == "__main__":
    main(sys.argv[1:])
