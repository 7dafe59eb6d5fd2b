"""OpenAPI document: its examples work, and every status is documented."""

from typing import Any

import httpx
import pytest

from service.protocols.error_schemas import DESCRIPTIONS

PREDICT = {
    f"/{kind}/{name}{rows}" for kind in ("predict", "forecast") for name in ("lstm", "mlp") for rows in ("", "/batch")
}
SCORE = {f"/score/{name}" for name in ("lstm", "mlp")}
READ = {
    "/score/{name}",
    "/",
    "/models",
    "/models/{name}",
    "/models/{name}/versions",
    "/health/live",
    "/health/ready",
    "/metrics",
}
INFER = {"/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer"}
ROWS = {"/v1/models/{name}:predict", "/v1/models/{name}/versions/{version}:predict"}
V2 = INFER | {
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/{name}",
    "/v2/models/{name}/ready",
    "/v2/models/{name}/versions/{version}",
    "/v2/models/{name}/versions/{version}/ready",
    "/v2/repository/index",
    "/v2/repository/models/{name}/load",
    "/v2/repository/models/{name}/unload",
    "/v2/models",
}
TIME_SERIES = {"/v1/timeseries/forecast", "/v1/timeseries/models"}
NIXTLA_TASKS = {"/v2/forecast", "/v2/cross_validation", "/v2/anomaly_detection", "/v2/online_anomaly_detection"}
NIXTLA = NIXTLA_TASKS | {"/validate_api_key", "/model_params"}
TFSERVING = ROWS | {
    "/v1/models",
    "/v1/models/{name}",
    "/v1/models/{name}/metadata",
    "/v1/models/{name}/versions/{version}",
    "/v1/models/{name}/versions/{version}/metadata",
}


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == PREDICT | SCORE | READ | V2 | TFSERVING | TIME_SERIES | NIXTLA


@pytest.mark.parametrize("path", sorted(PREDICT))
def test_the_example_of_a_route_works_as_it_stands(client: httpx.Client, document: dict[str, Any], path: str) -> None:
    example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]

    answer = client.post(path, json=example)

    assert answer.status_code == 200
    assert answer.json()["extrapolated"] in (False, [])


@pytest.mark.parametrize("path", sorted(SCORE))
def test_the_example_of_actual_values_works_as_it_stands(
    client: httpx.Client, document: dict[str, Any], path: str
) -> None:
    example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]

    answer = client.post(path, json=example)

    assert answer.status_code == 200
    assert answer.json()["scores"][0]["mae"] > 0


def test_the_errors_that_are_shown_are_those_that_the_example_gets(airline: httpx.Client) -> None:
    operation = airline.get("/openapi.json").json()["paths"]["/score/airline"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    shown = operation["responses"]["200"]["content"]["application/json"]["example"]

    answer = airline.post("/score/airline", json=example).json()

    assert example["actuals"][-1][-1] is None
    assert approximately(answer) == shown


@pytest.mark.parametrize("rows", ["", "/batch"])
@pytest.mark.parametrize("kind", ["predict", "forecast"])
def test_the_answer_that_is_shown_is_the_one_that_the_example_gets(airline: httpx.Client, kind: str, rows: str) -> None:
    operation = airline.get("/openapi.json").json()["paths"][f"/{kind}/airline{rows}"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]

    answer = airline.post(f"/{kind}/airline{rows}", json=example).json()

    assert approximately(answer) == operation["responses"]["200"]["content"]["application/json"]["example"]
    assert kind == "predict" or list(answer["intervals"]) == ["80", "95"]


def approximately(answer: Any) -> Any:
    """Compare numbers approximately: the last digits of forecasts differ between processors."""
    if isinstance(answer, dict):
        return {key: approximately(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [approximately(value) for value in answer]
    return pytest.approx(answer, rel=1e-3) if isinstance(answer, float) else answer


def test_predictions_and_forecasts_come_first(client: httpx.Client, document: dict[str, Any]) -> None:
    paths = list(document["paths"])

    assert set(paths[: len(PREDICT)]) == PREDICT
    assert paths[0] == "/predict/lstm"


@pytest.mark.parametrize("path", sorted(NIXTLA_TASKS | {"/v1/timeseries/forecast"}))
def test_the_examples_of_a_protocol_with_dates_work_as_they_stand(airline: httpx.Client, path: str) -> None:
    body = airline.get("/openapi.json").json()["paths"][path]["post"]["requestBody"]["content"]["application/json"]

    answer = airline.post(path, json=body["examples"]["airline"]["value"])

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", sorted(PREDICT | SCORE))
def test_a_prediction_route_tells_every_status_it_can_answer(document: dict[str, Any], path: str) -> None:
    told = set(document["paths"][path]["post"]["responses"])

    assert told == {"200"} | {str(status) for status in DESCRIPTIONS}


@pytest.mark.parametrize("name", ["lstm", "mlp"])
@pytest.mark.parametrize("path", sorted(INFER | ROWS))
def test_the_examples_of_a_protocol_work_as_they_stand(
    client: httpx.Client, document: dict[str, Any], path: str, name: str
) -> None:
    examples = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]

    answer = client.post(path.format(name=name, version=1), json=examples[name]["value"])

    assert answer.status_code == 200


@pytest.mark.parametrize("path", sorted(INFER))
def test_an_infer_route_tells_every_status_it_can_answer(document: dict[str, Any], path: str) -> None:
    told = set(document["paths"][path]["post"]["responses"])

    assert told == {"200"} | {str(status) for status in DESCRIPTIONS} - {"422"}


def test_every_failure_is_json_with_detail_or_with_error_where_a_protocol_has_it_so(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200":
                    schema = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                    key = "error" if path.startswith(("/v1/", "/v2/")) or path == "/v2" else "detail"
                    assert key in document["components"]["schemas"][schema]["properties"], (path, status)


def test_a_window_has_as_many_values_as_the_live_version_takes(document: dict[str, Any]) -> None:
    body = document["paths"]["/predict/lstm"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    window = body["properties"]["window"]

    assert (window["minItems"], window["maxItems"]) == (5, 5)


def test_the_docs_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").text

    assert "://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f'"static-offline-docs/{asset}"' in page
        assert client.get(f"/static-offline-docs/{asset}").status_code == 200
