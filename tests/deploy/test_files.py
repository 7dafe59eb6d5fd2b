"""What stands in the deployment files is valid, and agrees with the service that it deploys."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.settings import Settings
from service.telemetry.metrics import LIMITS
from tests.repository import CHECKOUT
from tests.server import Server, free_port

BIN = Path(sys.executable).parent
KUBERNETES = CHECKOUT / "deploy" / "kubernetes"
PROMETHEUS = CHECKOUT / "deploy" / "prometheus"
DASHBOARD = CHECKOUT / "deploy" / "grafana" / "dashboards" / "lagcast.json"
COMPOSE = [CHECKOUT / "compose.yaml", CHECKOUT / "compose.override.yaml"]
RESOURCES = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")


def run(*command: str | Path, cwd: Path = CHECKOUT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_dockerfile_has_nothing_that_hadolint_objects_to() -> None:
    run(BIN / "hadolint", "Dockerfile")


def test_the_compose_files_follow_their_schema() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *COMPOSE)


@pytest.mark.skipif(
    subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0
    if shutil.which("docker")
    else True,
    reason="docker compose is not installed; make test-docker needs it",
)
def test_docker_compose_reads_the_compose_files() -> None:
    run("docker", "compose", "--profile", "*", "config", "--quiet")


def test_a_container_has_more_time_to_stop_than_the_service_takes_to_drain() -> None:
    service = read(COMPOSE[0])["services"]["service"]
    pod = read(KUBERNETES / "deployment.yaml")["spec"]["template"]["spec"]
    seconds = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    request = Settings().deadline_seconds
    assert int(service["stop_grace_period"].rstrip("s")) > Settings().drain_seconds + request
    assert pod["terminationGracePeriodSeconds"] > before + int(seconds["LAGCAST_DRAIN_SECONDS"]) + request


@pytest.mark.parametrize("path", RESOURCES, ids=[path.stem for path in RESOURCES])
def test_a_kubernetes_resource_follows_its_schema(path: Path) -> None:
    run(BIN / "kubernetes-validate", "--strict", "--quiet", "-k", "1.31", path)


def test_the_kustomization_has_every_resource_and_every_selector_finds_the_pods() -> None:
    assert sorted(read(KUBERNETES / "kustomization.yaml")["resources"]) == [path.name for path in RESOURCES]

    labels = {"app.kubernetes.io/name": "lagcast"}
    deployment = read(KUBERNETES / "deployment.yaml")["spec"]
    assert deployment["template"]["metadata"]["labels"] == labels
    assert deployment["selector"] == {"matchLabels": labels}
    assert read(KUBERNETES / "service.yaml")["spec"]["selector"] == labels
    assert read(KUBERNETES / "disruption-budget.yaml")["spec"]["selector"] == {"matchLabels": labels}
    assert read(KUBERNETES / "network-policy.yaml")["spec"]["podSelector"] == {"matchLabels": labels}


def test_the_probes_ask_paths_that_the_service_has(client: httpx.Client) -> None:
    container = read(KUBERNETES / "deployment.yaml")["spec"]["template"]["spec"]["containers"][0]

    for probe, path in {"startup": "live", "liveness": "live", "readiness": "ready"}.items():
        assert container[f"{probe}Probe"]["httpGet"] == {"path": f"/health/{path}", "port": "http"}
        assert client.get(f"/health/{path}").status_code == 200


def queries() -> Iterator[str]:
    for group in read(PROMETHEUS / "alerts.yml")["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_query_names_metrics_and_labels_that_are_exported(client: httpx.Client) -> None:
    client.post("/predict/mlp", json={"value": 5})
    described = {"up": {"job"}}  # Prometheus' own
    for family in text_string_to_metric_families(client.get("/metrics").text):
        described |= {s.name: {*s.labels, "job"} for s in family.samples} or {f"{family.name}_total": set()}
        if family.type == "counter":
            described.setdefault(f"{family.name}_total", set())
        elif not family.samples:
            described[family.name] = set()

    for query in queries():
        promql_parser.parse(query.replace("$__rate_interval", "1m"))
        for name, selectors in re.findall(r"\b((?:lagcast|process)_\w+|up)\b(?:\{([^}]*)\})?", query):
            assert name in described, query
            used = set(re.findall(r"(\w+)=", selectors))
            assert not described[name] or used <= described[name], query


def test_every_limit_that_a_query_names_is_one_that_is_counted() -> None:
    named = {limit for query in queries() for limit in re.findall(r'limit="(\w+)"', query)}

    assert named
    assert named <= set(LIMITS)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_promtool_accepts_the_configuration_and_the_alerts_fire_when_they_should() -> None:
    run("promtool", "check", "config", "prometheus.yml", cwd=PROMETHEUS)
    run("promtool", "test", "rules", "alerts_test.yml", cwd=PROMETHEUS)


def test_prometheus_and_grafana_are_told_of_each_other_and_of_the_service() -> None:
    services = read(COMPOSE[0])["services"] | read(COMPOSE[1])["services"]
    targets = read(PROMETHEUS / "prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
    source = read(CHECKOUT / "deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"][0]

    assert targets == ["service:8000"]
    assert source["url"] == "http://prometheus:9090"
    assert {"service", "prometheus", "grafana", "train"} == set(services)
    uids = {
        target["datasource"]["uid"]
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
    }
    assert uids == {source["uid"]}


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (Debian: prometheus)")
def test_prometheus_scrapes_a_running_service_and_answers_every_query(server: Server, tmp_path: Path) -> None:
    config = (PROMETHEUS / "prometheus.yml").read_text()
    config = config.replace("service:8000", server.url.removeprefix("http://")).replace("15s", "1s")
    (tmp_path / "prometheus.yml").write_text(config)
    shutil.copy2(PROMETHEUS / "alerts.yml", tmp_path)
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--web.listen-address={address}"]
    with subprocess.Popen([*command, f"--storage.tsdb.path={tmp_path}/data"], stderr=subprocess.DEVNULL) as prometheus:
        try:
            wait_until(lambda: values(address, 'up{job="lagcast"}') == ["1"])
            wait_until(lambda: values(address, 'lagcast_live_version{model="lstm"}') == ["1"])
            for query in queries():
                values(address, query.replace("$__rate_interval", "1m"))
            rules = httpx.get(f"http://{address}/api/v1/rules").json()["data"]["groups"][0]["rules"]
        finally:
            prometheus.terminate()

    assert {rule["health"] for rule in rules} == {"ok"}


def values(address: str, query: str) -> list[str]:
    answer = httpx.get(f"http://{address}/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", answer
    return [result["value"][1] for result in answer["data"]["result"]]


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(150):
        try:
            if is_so():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError
