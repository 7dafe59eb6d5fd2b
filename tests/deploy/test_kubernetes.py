"""Kubernetes resources: valid against the API schemas with each component, and consistent with the service."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from artifact.version import VERSION
from service.settings import Settings
from tests.deploy.files import BIN, DEPLOY, read, run
from tests.repository import CHECKOUT

KUBERNETES = DEPLOY / "kubernetes"
COMPONENTS = sorted(path.name for path in (KUBERNETES / "components").iterdir())
# Custom resources: the schemas of Kubernetes do not include them.
CUSTOM = {"PodMonitor", "PrometheusRule", "HTTPRoute"}
POD = {"app.kubernetes.io/name": "lagcast", "app.kubernetes.io/component": "service"}

# The schemas of their operators are only on npm.
SCHEMAS = CHECKOUT / "tests" / "deploy" / "custom_resources"

needs_schemas = pytest.mark.skipif(
    shutil.which("node") is None or not (SCHEMAS / "node_modules").exists(),
    reason="the schemas of custom resources are not installed: make test-kubernetes",
)
needs_kustomize = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def built(folder: Path, *components: str) -> dict[tuple[str, str], Any]:
    """The resources that `kubectl apply -k` would send, by kind and name, with these components enabled."""
    copy = shutil.copytree(KUBERNETES, folder / "kubernetes")
    kustomization = read(copy / "kustomization.yaml") | {"components": [f"components/{name}" for name in components]}
    (copy / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    documents = yaml.safe_load_all(run("kubectl", "kustomize", copy))
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def deployment(resources: dict[tuple[str, str], Any]) -> Any:
    return resources["Deployment", "lagcast"]["spec"]["template"]["spec"]


@needs_kustomize
@pytest.mark.parametrize("components", [[], *([name] for name in COMPONENTS), COMPONENTS], ids=" ".join)
def test_what_is_applied_follows_the_schemas_of_the_api(components: list[str], tmp_path: Path) -> None:
    standard = []
    for (kind, name), document in built(tmp_path, *components).items():
        assert document["metadata"].get("namespace", "lagcast") == "lagcast"
        assert document["metadata"]["labels"]["app.kubernetes.io/name"] == "lagcast"
        if kind not in CUSTOM:
            standard.append(tmp_path / f"{kind}-{name}.yaml")
            standard[-1].write_text(yaml.safe_dump(document))

    run(BIN / "kubernetes-validate", "--strict", "--quiet", "-k", "1.31", *standard)


def validated(document: Any) -> subprocess.CompletedProcess[str]:
    command = ["node", "validate.mjs"]
    return subprocess.run(command, cwd=SCHEMAS, input=json.dumps(document), capture_output=True, text=True, check=False)


@needs_schemas
@needs_kustomize
def test_custom_resources_follow_the_schemas_of_their_operators(tmp_path: Path) -> None:
    resources = built(tmp_path, *COMPONENTS)
    custom = [document for (kind, _), document in resources.items() if kind in CUSTOM]

    assert {document["kind"] for document in custom} == CUSTOM
    for document in custom:
        done = validated(document)
        assert done.returncode == 0, done.stderr
    assert validated(custom[0] | {"spec": 1}).returncode != 0, "the validation finds what is wrong"


@needs_kustomize
def test_images_have_the_version_s_tag(tmp_path: Path) -> None:
    resources = built(tmp_path, "models")
    job = resources["CronJob", "lagcast-training"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod = deployment(resources)
    containers = [*pod["containers"], *pod["initContainers"], *job["containers"]]

    assert {container["image"] for container in containers} == {
        f"lagcast-service:{VERSION}",
        f"lagcast-training:{VERSION}",
    }


@needs_kustomize
def test_selectors_find_the_service_s_pods_and_not_those_that_train(tmp_path: Path) -> None:
    resources = built(tmp_path, *COMPONENTS)
    job = resources["CronJob", "lagcast-training"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]

    assert resources["Deployment", "lagcast"]["spec"]["template"]["metadata"]["labels"] == POD
    assert resources["Deployment", "lagcast"]["spec"]["selector"]["matchLabels"] == POD
    assert resources["Service", "lagcast"]["spec"]["selector"] == POD
    assert resources["PodDisruptionBudget", "lagcast"]["spec"]["selector"]["matchLabels"] == POD
    assert resources["NetworkPolicy", "lagcast"]["spec"]["podSelector"]["matchLabels"] == POD
    assert resources["PodMonitor", "lagcast"]["spec"]["selector"]["matchLabels"] == POD
    assert not POD.items() <= job.items()
    assert resources["NetworkPolicy", "lagcast-training"]["spec"]["podSelector"]["matchLabels"] == job


@needs_kustomize
def test_every_pod_is_as_restricted_as_its_namespace_demands(tmp_path: Path) -> None:
    resources = built(tmp_path, *COMPONENTS)
    pods = [
        deployment(resources),
        resources["CronJob", "lagcast-training"]["spec"]["jobTemplate"]["spec"]["template"]["spec"],
    ]

    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
    assert resources["Namespace", "lagcast"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@needs_kustomize
def test_the_autoscaler_has_the_request_of_which_it_takes_a_share_and_owns_the_number_of_pods(tmp_path: Path) -> None:
    resources = built(tmp_path)
    metric = resources["HorizontalPodAutoscaler", "lagcast"]["spec"]["metrics"][0]["resource"]

    assert metric == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    assert deployment(resources)["containers"][0]["resources"]["requests"]["cpu"]
    assert "replicas" not in resources["Deployment", "lagcast"]["spec"]


@needs_kustomize
def test_keys_come_from_a_secret_and_models_from_a_claim_that_the_service_cannot_write(tmp_path: Path) -> None:
    pod = deployment(built(tmp_path, "api-keys", "models"))
    service = pod["containers"][0]
    mounts = {mount["name"]: mount for mount in service["volumeMounts"]}

    assert {"name": "LAGCAST_API_KEYS_FILE", "value": "/etc/lagcast/keys"} in service["env"]
    assert mounts["api-keys"]["mountPath"] == "/etc/lagcast"
    assert {"name": "api-keys", "secret": {"secretName": "lagcast-api-keys"}} in pod["volumes"]
    assert (mounts["models"]["mountPath"], mounts["models"]["readOnly"]) == ("/app/models", True)


@needs_kustomize
def test_a_new_claim_starts_with_the_image_s_models_and_keeps_what_it_has(tmp_path: Path) -> None:
    script = deployment(built(tmp_path, "models"))["initContainers"][0]["command"][2]
    image, claim = tmp_path / "image", tmp_path / "claim"
    for name in ("sales", "costs"):
        (image / name / "1").mkdir(parents=True)
        (image / name / "1" / "card.json").write_text(name)
    (claim / "costs" / "2").mkdir(parents=True)
    local = script.replace("/app/models", str(image)).replace("/claim", str(claim))

    for _ in range(2):
        run("sh", "-euc", local, HOSTNAME="pod")

    assert (claim / "sales" / "1" / "card.json").read_text() == "sales"
    assert [path.name for path in (claim / "costs").iterdir()] == ["2"]
    assert sorted(path.name for path in claim.iterdir()) == ["costs", "sales"]


@needs_kustomize
def test_settings_reach_the_service_and_are_known_to_it(tmp_path: Path) -> None:
    resources = built(tmp_path)
    reference = deployment(resources)["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    known = {f"LAGCAST_{name.upper()}" for name in Settings.model_fields}

    assert set(resources["ConfigMap", reference]["data"]) <= known


@needs_kustomize
def test_a_pod_has_more_time_to_stop_than_the_service_takes(tmp_path: Path) -> None:
    pod = deployment(built(tmp_path))
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert pod["terminationGracePeriodSeconds"] > before + Settings().drain_seconds + Settings().deadline_seconds


@needs_kustomize
def test_the_probes_ask_paths_that_the_service_has(client: httpx.Client, tmp_path: Path) -> None:
    container = deployment(built(tmp_path))["containers"][0]

    for probe, path in {"startup": "live", "liveness": "live", "readiness": "ready"}.items():
        assert container[f"{probe}Probe"]["httpGet"] == {"path": f"/health/{path}", "port": "http"}
        assert client.get(f"/health/{path}").status_code == 200
    assert container["readinessProbe"]["failureThreshold"] == 3


@needs_kustomize
def test_the_way_in_from_outside_leads_to_the_service_s_port(tmp_path: Path) -> None:
    resources = built(tmp_path, "ingress", "http-route")
    port = resources["Service", "lagcast"]["spec"]["ports"][0]
    ingress = resources["Ingress", "lagcast"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    route = resources["HTTPRoute", "lagcast"]["spec"]["rules"][0]

    assert ingress == {"name": "lagcast", "port": {"name": port["name"]}}
    assert route["backendRefs"] == [{"name": "lagcast", "port": port["port"]}]
    assert int(route["timeouts"]["request"].rstrip("s")) > Settings().deadline_seconds


def test_the_kustomization_names_every_component_that_there_is() -> None:
    text = (CHECKOUT / "deploy" / "kubernetes" / "kustomization.yaml").read_text()

    assert [name for name in COMPONENTS if f"components/{name}" not in text] == []
