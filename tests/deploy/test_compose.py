"""Compose and swarm files: valid, every setting reaches the service, key files are secrets, overrides are free."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings
from tests.deploy.files import BIN, DEPLOY, read, run
from tests.repository import CHECKOUT

COMPOSE = DEPLOY / "compose"
INCLUDED = [CHECKOUT / path for path in read(CHECKOUT / "compose.yaml")["include"][0]["path"]]
# On the host these set the published port and the mounts; in the container they have fixed values.
OF_THE_HOST = {
    "LAGCAST_HOST": "0.0.0.0",  # noqa: S104
    "LAGCAST_PORT": "8000",
    "LAGCAST_MODELS_DIR": "/app/models",
    "LAGCAST_STATE_DIR": "/app/state",
}

needs_compose = pytest.mark.skipif(
    not shutil.which("docker")
    or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0,
    reason="docker compose is not installed; make test-docker needs it",
)


class Loader(yaml.SafeLoader):
    """YAML loader that accepts Compose's own tags, such as !reset."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_sequence(node))


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader)  # noqa: S506 - a SafeLoader with one more tag


def variables() -> set[str]:
    return {f"LAGCAST_{name.upper()}" for name in Settings.model_fields}


def passed_on(*paths: Path) -> set[str]:
    """The environment variables that these files pass to the service."""
    return {name for path in paths for name in read(path)["services"].get("service", {}).get("environment", {})}


def test_every_setting_reaches_the_service_and_no_other_name_is_passed_on() -> None:
    interpolated = set(re.findall(r"\$\{(LAGCAST_\w+)", "".join(path.read_text() for path in INCLUDED)))

    assert passed_on(*INCLUDED) == variables()
    assert passed_on(COMPOSE / "service.yaml", DEPLOY / "stack.yaml") == variables()
    assert interpolated >= OF_THE_HOST.keys()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the compose files of the checkout and no files of the user."""
    shutil.copy(CHECKOUT / "compose.yaml", tmp_path)
    shutil.copytree(COMPOSE, tmp_path / "deploy" / "compose")
    return tmp_path


def resolved(project: Path, *files: str, **environment: str) -> Any:
    """The resolved project, `docker compose config`: services and secrets with variables substituted."""
    names = [part for file in files for part in ("-f", file)]
    return yaml.safe_load(run("docker", "compose", *names, "--profile", "*", "config", cwd=project, **environment))


@needs_compose
def test_what_is_set_in_the_shell_is_set_in_the_container_and_the_rest_is_left_to_the_service(project: Path) -> None:
    given = {name: f"value of {name}" for name in passed_on(COMPOSE / "service.yaml") - OF_THE_HOST.keys()}

    unset = resolved(project)["services"]["service"]["environment"]
    every = resolved(project, **given)["services"]["service"]["environment"]

    assert {name: value for name, value in unset.items() if value} == OF_THE_HOST | {"LAGCAST_WORKERS": "2"}
    assert {name: every[name] for name in given} == given


@needs_compose
def test_every_line_of_the_user_s_env_file_reaches_the_service_but_what_is_of_the_host(project: Path) -> None:
    (project / ".env").write_text("LAGCAST_WORKERS=5\nLAGCAST_PORT=8080\nLAGCAST_API_KEY_FILE=./keys\n")

    environment = resolved(project)["services"]["service"]["environment"]

    assert environment["LAGCAST_WORKERS"] == "5"
    assert environment["LAGCAST_PORT"] == "8000"
    assert environment["LAGCAST_API_KEY_FILE"] == "./keys"  # misspelt: the service reports it and does not start


@needs_compose
def test_host_port_and_models_folder_are_those_of_the_host(project: Path) -> None:
    given = {"LAGCAST_HOST": "192.0.2.1", "LAGCAST_PORT": "8080", "LAGCAST_MODELS_DIR": "./own"}
    service = resolved(project, **given)["services"]["service"]
    models = [mount["source"] for mount in service["volumes"] if mount["target"] == "/app/models"]

    assert (service["ports"][0]["host_ip"], service["ports"][0]["published"]) == ("192.0.2.1", "8080")
    assert models == [str(project / "own")]


@needs_compose
def test_a_key_file_is_mounted_as_a_secret_and_without_one_the_variable_is_empty(project: Path) -> None:
    with_key = resolved(project, LAGCAST_API_KEYS_FILE="./keys")
    without = resolved(project)

    assert with_key["services"]["service"]["environment"]["LAGCAST_API_KEYS_FILE"] == "/run/secrets/api_keys"
    assert with_key["secrets"]["api_keys"]["file"] == str(project / "keys")
    assert without["services"]["service"]["environment"]["LAGCAST_API_KEYS_FILE"] == ""


@needs_compose
def test_an_override_file_of_the_user_changes_the_service(project: Path) -> None:
    (project / "compose.override.yaml").write_text("services: {service: {environment: {LAGCAST_WORKERS: '7'}}}")

    assert resolved(project)["services"]["service"]["environment"]["LAGCAST_WORKERS"] == "7"
    assert run("git", "ls-files", "compose.override.yaml", ".env") == ""


@needs_compose
def test_behind_the_proxy_only_the_proxy_has_ports(project: Path) -> None:
    services = resolved(project, "compose.yaml", "deploy/compose/proxy.yaml")["services"]
    serving = {name for name, service in services.items() if service.get("ports") and not service.get("profiles")}

    assert serving == {"proxy"}


def test_the_compose_files_follow_their_schema(tmp_path: Path) -> None:
    paths = [CHECKOUT / "compose.yaml", *sorted(COMPOSE.glob("*.yaml")), *sorted(DEPLOY.glob("stack*.yaml"))]
    plain = []
    for number, path in enumerate(paths):
        plain.append(tmp_path / f"{number}.yaml")
        plain[-1].write_text(yaml.safe_dump(load(path)))

    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *plain)


def test_a_container_has_more_time_to_stop_than_the_service_takes_to_drain() -> None:
    service = read(COMPOSE / "service.yaml")["services"]["service"]

    assert int(service["stop_grace_period"].rstrip("s")) > Settings().drain_seconds + Settings().deadline_seconds


def test_the_commands_have_the_service_s_models_and_no_right_that_it_has_not() -> None:
    files = [read(COMPOSE / "service.yaml"), read(COMPOSE / "tools.yaml")]
    services = files[0]["services"] | files[1]["services"]

    for service in services.values():
        assert service["volumes"][0].removesuffix(":ro") == services["train"]["volumes"][0]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
