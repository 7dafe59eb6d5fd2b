"""`make test-docker`: two replicas behind the bundled proxy, over TLS, watched by Prometheus, updated under load."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.docker.engine import attempt, compose, cook, inspect, provide, recipe, wait_for
from tests.server import free_port

pytestmark = pytest.mark.docker

PROXIED = {"COMPOSE_FILE": "compose.yaml:deploy/compose/proxy.yaml"}


class Proxied:
    """A copy of the checkout with the service running behind the proxy, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = {name: str(free_port()) for name in ("PROXY_HTTP_PORT", "PROXY_HTTPS_PORT", "PROMETHEUS_PORT")}
        self.environment = PROXIED | ports
        self.url = f"https://localhost:{ports['PROXY_HTTPS_PORT']}"
        self.prometheus = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/api/v1/query"

    def cook(self, title: str) -> str:
        commands = recipe(title).replace("https://localhost/", f"{self.url}/")
        return cook(commands, self.folder, **self.environment)

    def compose(self, *arguments: str) -> str:
        return compose(*arguments, cwd=self.folder, **self.environment)

    def replicas(self) -> list[str]:
        return self.compose("ps", "--quiet", "service").split()

    def ask_prometheus(self, query: str) -> list[float]:
        answer = httpx.get(self.prometheus, params={"query": query})
        return [float(r["value"][1]) for r in answer.json()["data"]["result"]] if answer.is_success else []


@pytest.fixture
def proxied(kitchen: Path) -> Iterator[Proxied]:
    provide("caddy:2.10", "caddy")
    up = Proxied(kitchen)
    up.cook("TLS, and more than one replica")
    yield up
    attempt("docker", "compose", "--profile", "*", "down", "--volumes", "--timeout", "10", cwd=kitchen, **PROXIED)


def test_requests_go_over_tls_to_every_replica_and_large_bodies_meet_the_service_s_own_limit(proxied: Proxied) -> None:
    with httpx.Client(base_url=proxied.url, verify=False) as client:  # noqa: S501 - signed by Caddy's own root
        ids = {client.get("/models").raise_for_status().headers["x-request-id"].split("-")[0] for _ in range(20)}
        two_megabytes = client.post("/predict/mlp/batch", content=b" " * 2 * 2**20 + b'{"values": [1]}')
        too_large = client.post("/predict/mlp/batch", content=b" " * 17 * 2**20)

    assert len(proxied.replicas()) == 2
    assert len(ids) >= 2, "each process has a prefix of its own"
    assert two_megabytes.status_code in {200, 415}
    assert too_large.status_code == 413
    assert too_large.json()["detail"]
    with pytest.raises(httpx.TransportError):
        httpx.get("http://127.0.0.1:8000/health/live")


def test_prometheus_scrapes_each_replica_by_itself(proxied: Proxied) -> None:
    provide("prom/prometheus:v3.5.0", "prometheus")
    proxied.compose("--profile", "observability", "up", "--detach", "prometheus")
    with httpx.Client(base_url=proxied.url, verify=False) as client:  # noqa: S501
        for _ in range(40):
            client.post("/predict/mlp", json={"value": 5}).raise_for_status()

    wait_for(lambda: proxied.ask_prometheus('sum(up{job="lagcast"})') == [2])
    wait_for(lambda: proxied.ask_prometheus('sum(lagcast_predictions_total{model="mlp"})') == [40])
    assert len(proxied.ask_prometheus('lagcast_predictions_total{model="mlp"} > 0')) == 2
    assert len(proxied.ask_prometheus("lagcast_memory_limit_bytes")) == 2


class Clients:
    """Clients that send requests without a pause, and their failures."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.answered = 0
        self.failures: list[str] = []

    @contextmanager
    def asking(self, number: int = 4) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask_on) for _ in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(timeout=60)

    def _ask_on(self) -> None:
        with httpx.Client(base_url=self._url, verify=False, timeout=60) as client:  # noqa: S501
            while not self._stop.is_set():
                try:
                    answer = client.post("/predict/mlp", json={"value": 5})
                    if answer.status_code != 200:
                        self.failures.append(f"{answer.status_code} {answer.text}")
                    self.answered += 1
                except httpx.TransportError as error:
                    self.failures.append(repr(error))


def test_an_update_behind_the_proxy_replaces_every_replica_while_it_answers(
    proxied: Proxied, capsys: pytest.CaptureFixture[str]
) -> None:
    old, clients = proxied.replicas(), Clients(proxied.url)

    with clients.asking():
        proxied.cook("Update a running service")

    with capsys.disabled():
        print(f"\n{clients.answered} answers during the update, failed: {clients.failures[:3]}")
    if proxied.compose("exec", "proxy", "caddy", "version").lstrip("v").startswith("2.6"):
        # Caddy of Debian retries on another replica if one refuses, but has lost the body of a POST by then.
        assert {failure.strip() for failure in clients.failures} <= {"502"}
    else:
        assert clients.failures == []
    assert clients.answered > 100
    assert len(proxied.replicas()) == 2
    assert not set(proxied.replicas()) & set(old)


def test_an_update_that_does_not_become_healthy_leaves_the_old_replicas(proxied: Proxied) -> None:
    old = proxied.replicas()

    done = attempt("deploy/compose/update.sh", cwd=proxied.folder, LAGCAST_MAX_BATCH_ROWS="none", **proxied.environment)

    assert done.returncode == 1
    assert re.search("did not become healthy", done.stderr)
    assert sorted(proxied.replicas()) == sorted(old)
    assert {inspect(replica, "{{.State.Health.Status}}") for replica in old} == {"healthy"}
