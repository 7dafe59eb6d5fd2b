"""The dashboard after real events: predictions, a new live version, a bad version, a killed worker, a restart."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest

from artifact import LITERT_FILE
from tests.deploy.prometheus import Prometheus, prometheus
from tests.deploy.test_monitoring import DASHBOARD, alerts, dashboard_queries, filled, panels
from tests.repository import AIRLINE, add_version, copy_of_shipped
from tests.server import Server, running

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed (Debian: prometheus)"
)
OPTIONS = ("--workers", "2", "--reload-seconds", "0.5")
# Two windows of the airline passengers, and the actual values after them.
SCORED = {
    "windows": [AIRLINE[-36:-12], AIRLINE[-37:-13]],
    "actuals": [AIRLINE[-12:], AIRLINE[-13:-1]],
}
# Panels without data here: they need a container or a pod.
EMPTY = {"Share of the memory limit"}


class Past(NamedTuple):
    """A Prometheus with recorded events, their start time, and the values of the panels before the restart."""

    prometheus: Prometheus
    begin: float
    before_restart: dict[str, dict[tuple[str, ...], list[float]]]


def queries_of(title: str) -> list[str]:
    (panel,) = [panel for panel in panels() if panel["title"] == title]
    return [filled(target["expr"]) for target in panel["targets"]]


def annotation(name: str) -> str:
    return next(filled(a["expr"]) for a in DASHBOARD["annotations"]["list"] if a["name"] == name)


def predict(server: Server) -> None:
    for value in (5, 5, 5, 1000):
        httpx.post(f"{server.url}/predict/mlp", json={"value": value}).raise_for_status()
        httpx.post(f"{server.url}/predict/mlp/batch", json={"values": [value]}).raise_for_status()
    httpx.post(f"{server.url}/predict/mlp", content=b"no JSON")
    httpx.post(f"{server.url}/score/airline", json=SCORED).raise_for_status()


def publish(models_dir: Path, version: int, *, good: bool) -> None:
    """Publish a version by an atomic rename, as training does."""
    prepared = copy_of_shipped(models_dir.parent / f"prepared-{version}")
    folder = add_version(prepared, "mlp", version)
    if not good:
        (folder / LITERT_FILE).write_bytes(b"short")
    folder.rename(models_dir / "mlp" / str(version))


def kill_a_worker(server: Server) -> None:
    children = psutil.Process(server.process.pid).children()
    worker = next(child for child in children if "spawn_main" in " ".join(child.cmdline()))
    worker.kill()


def first_process(
    watching: Prometheus, server: Server, models_dir: Path, begin: float
) -> dict[str, dict[tuple[str, ...], list[float]]]:
    """Cause the events of the first process, each scraped before the next one; return the values of the panels."""
    watching.scrape(server.url)
    watching.wait('lagcast_live_version{model="mlp"}', lambda seen: list(seen.values()) == [1])
    predict(server)
    publish(models_dir, 2, good=True)
    watching.wait('lagcast_live_version{model="mlp"}', lambda seen: list(seen.values()) == [2])
    publish(models_dir, 3, good=False)
    watching.wait('lagcast_failed_loads_total{model="mlp", reason="verification"} > 0', lambda seen: len(seen) == 1)
    started = next(iter(watching.now("process_start_time_seconds").values()))
    kill_a_worker(server)
    watching.wait("process_start_time_seconds", lambda seen: max(seen.values(), default=0) > started)
    predict(server)
    watching.wait('sum(lagcast_predictions_total{model="mlp"})', lambda seen: list(seen.values()) == [16])
    titles = [panel["title"] for panel in panels()]
    return {
        title: {k: v for query in queries_of(title) for k, v in watching.since(begin, query).items()}
        for title in titles
    }


@pytest.fixture(scope="module")
def past(airline_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    folder = tmp_path_factory.mktemp("events")
    models_dir, begin = shutil.copytree(airline_models, folder / "models"), time.time()
    with prometheus(folder) as watching:
        with running(folder / "first", *OPTIONS, models_dir=models_dir) as server:
            before = first_process(watching, server, models_dir, begin)
        with running(folder / "second", *OPTIONS, models_dir=models_dir) as server:
            watching.scrape(server.url)
            watching.wait("sum(lagcast_predictions_total)", lambda seen: list(seen.values()) == [0])
            predict(server)
            watching.wait('sum(lagcast_predictions_total{model="mlp"})', lambda seen: list(seen.values()) == [8])
            yield Past(watching, begin, before)


def test_prometheus_answers_every_query_of_the_dashboard_and_evaluates_every_alert(past: Past) -> None:
    for query in dashboard_queries():
        past.prometheus.since(past.begin, query)
    rules = past.prometheus.ask("rules")["groups"][0]["rules"]

    assert {rule["name"] for rule in rules} == set(alerts())
    assert {rule["health"] for rule in rules} == {"ok"}


def test_every_panel_shows_something(past: Past) -> None:
    empty = {title for title, series in past.before_restart.items() if not series}

    assert empty <= EMPTY


def test_one_swap_and_one_refused_version_count_once_each(past: Past) -> None:
    events = past.before_restart["Swaps and refused versions in the last five minutes"]

    assert {key: max(values) for key, values in events.items()} == {
        ("lstm",): 0,
        ("mlp",): 1,
        ("lstm", "verification"): 0,
        ("lstm", "self-test"): 0,
        ("airline",): 0,
        ("airline", "verification"): 0,
        ("airline", "self-test"): 0,
        ("mlp", "verification"): 1,
        ("mlp", "self-test"): 0,
    }


def test_the_swap_is_counted_once_through_a_restart_too(past: Past) -> None:
    swaps = past.prometheus.since(past.begin, queries_of("Swaps and refused versions in the last five minutes")[0])

    assert {key: max(values) for key, values in swaps.items()} == {
        ("airline",): 0,
        ("lstm",): 0,
        ("mlp",): 1,
    }


def test_the_live_versions_are_counted_by_model_and_version(past: Past) -> None:
    assert past.prometheus.now(queries_of("Replicas by live version")[0]) == {
        ("airline", "1"): 1,
        ("lstm", "1"): 1,
        ("mlp", "2"): 1,
    }
    assert set(past.before_restart["Live version"]["mlp",]) == {1, 2}


def test_the_refused_version_is_named_once_with_its_reason(past: Past) -> None:
    ((model, reason, version),) = past.prometheus.now(queries_of("Refused versions")[0])

    assert (model, version) == ("mlp", "3")
    assert LITERT_FILE in reason


def test_annotations_mark_the_swap_of_its_model_and_the_starts(past: Past) -> None:
    assert list(past.prometheus.since(past.begin, annotation("Swaps"))) == [("mlp",)]
    assert past.prometheus.since(past.begin, annotation("Starts"))


def test_nothing_is_in_flight_while_only_prometheus_asks(past: Past) -> None:
    (values,) = past.before_restart["Requests in flight"].values()

    assert values[-1] == 0


def test_no_prediction_failed_and_requests_that_are_wrong_are_no_failures(past: Past) -> None:
    statuses = past.before_restart["Prediction requests by status"]

    assert set(statuses) == {("200",), ("400",)}


def test_the_extrapolated_share_is_that_of_the_rows_that_were_asked(past: Past) -> None:
    rows = [f"sum(increase(lagcast_{name}_total[10m]))" for name in ("extrapolated_rows", "rows")]
    (share,) = past.prometheus.now(" / ".join(rows)).values()

    assert share == pytest.approx(0.25, abs=0.02)


def test_the_accuracy_panels_show_the_errors_on_the_actual_values(past: Past, airline: httpx.Client) -> None:
    (answer,) = airline.post("/score/airline", json=SCORED).json()["scores"]
    errors, card = queries_of("Mean absolute error on actual values")
    (ratio,), (coverage,), (mase,), (closest,) = (
        queries_of(title)
        for title in (
            "Error over that of the best baseline",
            "Coverage of the prediction intervals",
            "MASE on actual values",
            "Closest version",
        )
    )

    def ask(query: str) -> dict[tuple[str, ...], float]:
        """The result, as soon as it includes airline: after a scrape that timed out the gauges are missing."""
        past.prometheus.wait(query, lambda seen: any("airline" in key for key in seen))
        return past.prometheus.now(query)

    found = {key: value for key, value in ask(errors).items() if "airline" in key}
    assert found == pytest.approx(
        {
            ("model", "airline", "1"): answer["mae"],
            ("persistence", "airline", "1"): answer["persistence"]["mae"],
            ("seasonal_naive", "airline", "1"): answer["seasonal_naive"]["mae"],
        }
    )
    assert ask(card)["airline", "1"] > 0
    assert ask(ratio)["airline", "1"] == pytest.approx(answer["mae"] / answer["seasonal_naive"]["mae"])
    assert {key: value for key, value in ask(coverage).items() if "airline" in key} == pytest.approx(
        {(level, "airline", "1"): share for level, share in answer["coverage"].items()}
    )
    assert ask(mase)["airline", "1"] == pytest.approx(answer["mase"])
    assert ask(closest)["airline", "1"] == pytest.approx(answer["mae"])
    assert ask(queries_of("Age of the live version")[0])["airline", "1"] > 0
