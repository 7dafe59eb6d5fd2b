"""Prometheus, alerts and dashboard: valid, only metrics that exist, and a runbook section for each alert."""

import json
import re
import shutil
from typing import Any

import httpx
import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.telemetry.metrics import LIMITS
from tests.deploy.files import BIN, DEPLOY, read, run
from tests.repository import CHECKOUT

PROMETHEUS = DEPLOY / "prometheus"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "lagcast.json").read_text())
RUNBOOK = CHECKOUT / "docs" / "runbook.md"
# Paths with a POST that is not a prediction.
NO_PREDICTION = re.compile("/v2/repository/.*|/score/.*")
# Alerts whose threshold is a line in a panel.
LINED = {
    *("LagcastFailing", "LagcastSlow", "LagcastExtrapolating", "LagcastMemory"),
    *("LagcastWorseThanBaseline", "LagcastCoverage"),
}
VARIABLES = {"$__rate_interval": "1m", "$job": "lagcast", "$instance": ".*", "$model": ".*"}


def alerts() -> dict[str, Any]:
    groups = read(PROMETHEUS / "alerts.yml")["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels() -> list[Any]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def filled(expression: str) -> str:
    """A query of the dashboard with its variables substituted."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def dashboard_queries() -> list[str]:
    """The queries and annotations of the dashboard with its variables substituted."""
    expressions = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [filled(e) for e in [*expressions, *(a["expr"] for a in DASHBOARD["annotations"]["list"])]]


def queries() -> list[str]:
    return [*(alert["expr"] for alert in alerts().values()), *dashboard_queries()]


def test_every_query_names_metrics_and_labels_that_are_exported(client: httpx.Client) -> None:
    client.post("/predict/mlp", json={"value": 5})
    described = {"up": {"job", "instance"}}  # Prometheus' own
    for family in text_string_to_metric_families(client.get("/metrics").text):
        described |= {s.name: {*s.labels, "job", "instance"} for s in family.samples} or {family.name: set()}
        if family.type == "counter" and not family.samples:
            described[f"{family.name}_total"] = set()

    for query in queries():
        promql_parser.parse(query)
        for name, selectors in re.findall(r"\b((?:lagcast|process)_\w+|up)\b(?:\{([^}]*)\})?", query):
            assert name in described, query
            used = set(re.findall(r"(\w+)!?=", selectors))
            assert not described[name] or used <= described[name], query


def test_the_queries_about_predictions_select_every_prediction_route_and_no_other(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    posts = {path for path, operations in paths.items() if "post" in operations}
    predicting = {path for path in posts if not NO_PREDICTION.fullmatch(path)}
    for_alerts = [re.findall(r'route=~"([^"]+)"', alerts()[name]["expr"]) for name in ("LagcastFailing", "LagcastSlow")]
    for_panels = [re.findall(r'route=~"([^"]+)"', query) for query in dashboard_queries()]
    (pattern,) = {pattern for found in for_alerts + for_panels for pattern in found}

    assert all(for_alerts)
    assert predicting
    assert {path for path in paths if re.fullmatch(pattern, path)} == predicting


def test_every_limit_that_a_query_names_is_one_that_is_counted() -> None:
    named = {limit for query in queries() for limit in re.findall(r'limit="(\w+)"', query)}

    assert named
    assert named <= set(LIMITS)


def test_nothing_is_said_of_models_by_name() -> None:
    for path in [*DEPLOY.rglob("*.y*ml"), *DEPLOY.rglob("*.json"), RUNBOOK]:
        assert not re.search(r"\b(lstm|mlp)\b", path.read_text()), path


def test_every_alert_has_a_section_of_the_runbook_that_its_annotation_names() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert sections == list(alerts())
    for name, alert in alerts().items():
        assert alert["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert alert["labels"]["severity"] in {"critical", "warning"}


def test_every_panel_has_a_unit_a_description_and_the_dashboard_s_variables() -> None:
    for panel in panels():
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in panel["targets"]:
            assert 'job=~"$job", instance=~"$instance"' in target["expr"], panel["title"]
            assert "job=~" not in target["expr"] or target["datasource"]["uid"] == "${datasource}"
        if any("model" in target["expr"].partition("by (")[2].partition(")")[0] for target in panel["targets"]):
            assert all('model=~"$model"' in target["expr"] for target in panel["targets"]), panel["title"]


def test_the_thresholds_of_the_panels_are_the_bounds_of_the_alerts() -> None:
    shown = {panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] for panel in panels() if _lined(panel)}
    bounds = {
        name: float(re.findall(r" [<>] ([0-9.]+)", alert["expr"])[0])
        for name, alert in alerts().items()
        if name in LINED
    }

    assert shown == set(bounds.values())


def _lined(panel: Any) -> bool:
    return "thresholdsStyle" in panel["fieldConfig"]["defaults"].get("custom", {})


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells

    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_kubernetes_rules_are_the_alerts() -> None:
    rule = read(DEPLOY / "kubernetes" / "components" / "monitoring" / "prometheus-rule.yaml")

    assert rule["spec"] == read(PROMETHEUS / "alerts.yml"), "run make alerts"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_promtool_accepts_the_configuration_and_the_alerts_fire_when_they_should() -> None:
    run("promtool", "check", "config", "prometheus.yml", cwd=PROMETHEUS)
    run("promtool", "test", "rules", "alerts_test.yml", cwd=PROMETHEUS)


def test_promtool_s_tests_are_about_every_alert() -> None:
    tests = read(PROMETHEUS / "alerts_test.yml")["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}

    assert fired == set(alerts())


def test_prometheus_and_grafana_are_told_of_each_other_and_of_every_replica() -> None:
    services = read(DEPLOY / "compose" / "observability.yaml")["services"]
    scrape = read(PROMETHEUS / "prometheus.yml")["scrape_configs"][0]
    source = read(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"][0]

    assert scrape["dns_sd_configs"][0]["names"] == ["service"]
    assert (scrape["dns_sd_configs"][0]["type"], scrape["dns_sd_configs"][0]["port"]) == ("A", 8000)
    assert source["url"] == "http://prometheus:9090"
    assert set(services) == {"prometheus", "grafana"}
    assert DASHBOARD["templating"]["list"][0]["current"]["value"] == source["uid"]


def test_the_dockerfile_has_nothing_that_hadolint_objects_to() -> None:
    run(BIN / "hadolint", "Dockerfile")
