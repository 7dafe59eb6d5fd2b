"""`make test-docker`: images, Compose and a swarm on a real Docker Engine. Port 8000 has to be free."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count

import httpx
import pytest

from tests.docker.engine import URL, compose, inspect, run, wait_for

pytestmark = pytest.mark.docker

CONTRACT = ["test_predict.py", "test_models.py", "test_openapi.py"]
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def container(images: None) -> Iterator[str]:
    """The id of the container of the service, once it is healthy."""
    compose("up", "--detach", "--wait", "service")
    try:
        yield compose("ps", "--quiet", "service")
    finally:
        compose("--profile", "*", "down", "--volumes", "--timeout", "10")


def test_the_published_port_keeps_the_contract(container: str) -> None:
    tests = [f"tests/contract/{file}" for file in CONTRACT]

    run(sys.executable, "-m", "pytest", "-q", *tests, SERVICE_URL=URL)


def test_the_image_is_small_and_holds_nothing_but_the_service(container: str) -> None:
    image, base = (int(inspect(name, "{{.Size}}")) for name in ("lagcast-service", "python:3.13-slim"))
    found = run("docker", "exec", container, "python", "-c", FIND)

    assert image - base < 250 * MEGABYTE
    assert found == "[]"


FIND = """
import importlib.util as u, pathlib, shutil
print([m for m in ("tensorflow", "keras", "pytest", "httpx", "training", "tests") if u.find_spec(m)]
      + [c for c in ("gcc", "cc", "make") if shutil.which(c)] + list(pathlib.Path("/venv").rglob("tests")))
"""


def test_the_process_has_no_rights_and_no_place_to_write_but_tmp(container: str) -> None:
    status = dict(
        line.split(":\t", 1) for line in run("docker", "exec", container, "cat", "/proc/1/status").splitlines()
    )
    write = "for d in /app /venv /app/models /etc; do touch $d/x 2>/dev/null && echo $d; done; touch /tmp/x"

    assert status["Uid"].split() == ["10001"] * 4
    assert {status[f"Cap{which}"] for which in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert run("docker", "exec", container, "sh", "-c", write) == ""
    assert inspect(container, "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}") == (
        f"true {2**30} 200"
    )


def test_what_is_trained_in_a_container_is_soon_served_by_the_running_one(container: str) -> None:
    compose("run", "--rm", "train", "--epochs", "20")

    wait_for(lambda: httpx.get(f"{URL}/health/ready").json()["models"] == {"lstm": 2, "mlp": 2}, 10)
    assert httpx.post(f"{URL}/predict/lstm?version=1", json={"window": [1, 2, 3, 4, 5]}).json()["version"] == 1
    assert inspect(container, "{{.RestartCount}}") == "0"


def test_a_container_whose_process_is_killed_is_started_again(container: str) -> None:
    run("kill", "-KILL", inspect(container, "{{.State.Pid}}"))

    wait_for(lambda: inspect(container, "{{.RestartCount}} {{.State.Health.Status}}") == "1 healthy")
    assert httpx.post(f"{URL}/predict/mlp", json={"value": 5}).status_code == 200


def test_a_container_that_is_told_to_stop_drains_and_ends_well(container: str) -> None:
    compose("stop", "service")
    assert inspect(container, "{{.State.ExitCode}}") == "0"
    assert '"SIGTERM received: serving for another 5 seconds"' in run("sh", "-c", f"docker logs {container} 2>&1")
    compose("up", "--detach", "--wait", "service")


class Balancer:
    """Clients that send requests only to ready replicas, as a load balancer does."""

    def __init__(self) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self._ready: list[str] = []
        self._stop = threading.Event()
        self._turns = count()

    @contextmanager
    def asking(self, clients: int = 8) -> Iterator[None]:
        self._look()
        threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]
        threads.append(threading.Thread(target=self._look_on))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(timeout=30)

    def _look_on(self) -> None:
        while not self._stop.wait(0.2):
            self._look()

    def _look(self) -> None:
        network = json.loads(run("docker", "network", "inspect", "docker_gwbridge"))[0]
        addresses = [entry["IPv4Address"].partition("/")[0] for entry in network["Containers"].values()]
        self._ready = [address for address in addresses if is_ready(address)]

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            ready = self._ready
            connection = HTTPConnection(ready[next(self._turns) % len(ready)], 8000, timeout=10)
            try:
                while not self._stop.is_set() and self._ask(connection):
                    pass
            except (OSError, HTTPException) as error:
                self.failures.append(repr(error))
            connection.close()

    def _ask(self, connection: HTTPConnection) -> bool:
        """Send one request; return whether the connection can be reused."""
        connection.request("POST", "/predict/mlp", '{"value": 5}', {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            self.failures.append(f"{answer.status} {content!r}")
        self.answered += 1
        return answer.getheader("connection") != "close"


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}:8000/health/ready", timeout=1).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def stack(container: str) -> Iterator[str]:
    """The stack, deployed to a swarm of this one machine."""
    assert run("docker", "info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive", "there is a swarm already"
    compose("stop", "service")
    run("docker", "swarm", "init", "--advertise-addr", "127.0.0.1")
    try:
        files = ["-c", "deploy/compose/service.yaml", "-c", "deploy/stack.yaml"]
        run("docker", "stack", "deploy", "--detach=true", "--resolve-image", "never", *files, "lagcast")
        yield "lagcast_service"
    finally:
        run("docker", "swarm", "leave", "--force")


def replicas(service: str) -> str:
    return run("docker", "service", "ls", "--filter", f"name={service}", "--format", "{{.Replicas}}")


def test_a_rolling_update_of_the_stack_fails_no_request(stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    wait_for(lambda: replicas(stack) == "2/2")
    balancer = Balancer()

    with balancer.asking():
        run("docker", "service", "update", "--detach", "--env-add", "LAGCAST_MAX_BATCH_ROWS=1000", stack)
        wait_for(lambda: inspect_update(stack) == "completed", 180)

    with capsys.disabled():
        print(f"\n{balancer.answered} answers while the stack was updated, failed: {balancer.failures[:3]}")
    assert balancer.failures == []
    assert balancer.answered > 1000


def test_an_update_that_does_not_become_healthy_is_rolled_back(stack: str) -> None:
    wait_for(lambda: replicas(stack) == "2/2")

    run("docker", "service", "update", "--detach", "--env-add", "LAGCAST_PORT=none", stack)

    wait_for(lambda: inspect_update(stack) == "rollback_completed", 180)
    wait_for(lambda: replicas(stack) == "2/2")


def inspect_update(service: str) -> str:
    return run("docker", "service", "inspect", "--format", "{{.UpdateStatus.State}}", service)
