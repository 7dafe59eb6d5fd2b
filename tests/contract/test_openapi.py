"""The OpenAPI document says what the service does: its examples work and every status is told."""

from typing import Any

import httpx
import pytest

from service.errors import DESCRIPTIONS

PREDICT = {"/predict/lstm", "/predict/mlp", "/predict/lstm/batch", "/predict/mlp/batch"}
READ = {"/models", "/models/{name}", "/models/{name}/versions", "/health/live", "/health/ready", "/metrics"}


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == PREDICT | READ


@pytest.mark.parametrize("path", sorted(PREDICT))
def test_the_example_of_a_route_works_as_it_stands(client: httpx.Client, document: dict[str, Any], path: str) -> None:
    example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]

    answer = client.post(path, json=example)

    assert answer.status_code == 200
    assert answer.json()["extrapolated"] in (False, [])


@pytest.mark.parametrize("path", sorted(PREDICT))
def test_a_prediction_route_tells_every_status_it_can_answer(document: dict[str, Any], path: str) -> None:
    told = set(document["paths"][path]["post"]["responses"])

    assert told == {"200"} | {str(status) for status in DESCRIPTIONS}


def test_every_failure_is_json_with_detail(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200":
                    schema = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                    assert "detail" in document["components"]["schemas"][schema]["properties"], (path, status)


def test_a_window_has_as_many_values_as_the_live_version_takes(document: dict[str, Any]) -> None:
    window = document["components"]["schemas"]["WindowBody"]["properties"]["window"]

    assert (window["minItems"], window["maxItems"]) == (5, 5)


def test_the_docs_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").text

    assert "://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static-offline-docs/{asset}" in page
        assert client.get(f"/static-offline-docs/{asset}").status_code == 200
