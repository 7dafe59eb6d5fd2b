"""Metrics, which are the same from every worker; request ids; the log."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from artifact import LITERT_FILE
from service.telemetry.metrics import LIMITS
from tests.repository import add_version, change_card, copy_of_shipped
from tests.server import Server, running
from tests.waiting import PATIENCE

Samples = dict[tuple[str, ...], float]


def samples(server: Server) -> Samples:
    """The value of each series, by its name and its label values, sorted by label name."""
    text = httpx.get(f"{server.url}/metrics").raise_for_status().text
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def wait_for(server: Server, is_there: Callable[[Samples], bool]) -> Samples:
    """The metrics, as soon as the condition holds; workers see each other's metrics a second late."""
    deadline = time.monotonic() + PATIENCE
    while not is_there(seen := samples(server)):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


@pytest.fixture(scope="module", params=[1, 2])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("watched") / "log", "--workers", str(request.param)) as server:
        yield server


def test_predictions_rows_extrapolated_rows_and_values_are_counted_over_all_workers(watched: Server) -> None:
    for _ in range(10):
        httpx.post(f"{watched.url}/predict/mlp", json={"value": 5}).raise_for_status()  # each on a new connection
        httpx.post(f"{watched.url}/predict/mlp/batch", json={"values": [5, 5, 1000]}).raise_for_status()
        httpx.post(f"{watched.url}/predict/mlp", json={"value": "5"})

    wrong = ("lagcast_request_seconds_count", "/predict/{name}", "422")  # the last one sent
    seen = wait_for(watched, lambda seen: seen["lagcast_predictions_total", "mlp", "1"] == 20 and seen.get(wrong) == 10)

    assert seen["lagcast_rows_total", "mlp", "1"] == 40
    assert seen["lagcast_extrapolated_rows_total", "mlp", "1"] == 10
    assert seen["lagcast_prediction_value_count", "mlp", "1"] == 40
    assert seen["lagcast_prediction_value_sum", "mlp", "1"] == pytest.approx(10 * (3 * 7.8 + 1798.8), rel=1e-3)
    assert seen["lagcast_request_seconds_count", "/predict/{name}", "200"] == 10
    assert seen["lagcast_request_seconds_count", "/predict/{name}/batch", "200"] == 10
    assert seen["lagcast_live_version", "lstm"] == 1
    assert seen["lagcast_requests_in_flight",] == 0, "a scrape does not count itself"


def test_no_total_falls_whichever_worker_is_asked_and_whatever_becomes_of_its_version(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    key = ("lagcast_rows_total", "mlp", "1")
    with running(tmp_path / "log", "--workers", "2", "--reload-seconds", "0.2", models_dir=models_dir) as server:
        seen = []
        for turn in range(60):
            httpx.post(f"{server.url}/predict/mlp", json={"value": 5}).raise_for_status()
            seen.append(samples(server)[key])
            if turn == 30:
                change_card(models_dir / "mlp" / "1")  # the same again, read anew
                time.sleep(0.5)
        wait_for(server, lambda seen: seen[key] == 60)

    assert seen == sorted(seen)


def test_a_worker_that_ends_leaves_its_counts_behind(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as server:
        for _ in range(20):
            httpx.post(f"{server.url}/predict/mlp", json={"value": 5}).raise_for_status()
        wait_for(server, lambda seen: seen["lagcast_rows_total", "mlp", "1"] == 20)
        workers = [p for p in psutil.Process(server.process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
        workers[0].kill()
        workers[0].wait(timeout=PATIENCE)

        assert samples(server)["lagcast_rows_total", "mlp", "1"] == 20


def test_routes_in_the_metrics_are_a_short_list_whatever_is_asked(server: Server) -> None:
    for number in range(5):
        httpx.get(f"{server.url}/models/none{number}")
        httpx.get(f"{server.url}/none{number}")

    routes = {key[1] for key in samples(server) if key[0] == "lagcast_request_seconds_count"}

    assert {"/models/{name}", "other"} <= routes
    assert not [route for route in routes if "none" in route]


def test_what_a_limit_refuses_is_counted_by_the_limit(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--max-body-bytes", "100") as server:
        httpx.post(f"{server.url}/predict/mlp", content=b" " * 101)
        httpx.get(f"{server.url}/models", headers={"X-Long": "x" * 200_000})

        seen = samples(server)

    assert seen["lagcast_refused_requests_total", "max_body_bytes"] == 1
    assert seen["lagcast_refused_requests_total", "head_bytes"] == 1


def test_counters_of_known_labels_are_there_at_zero_before_their_first_event(tmp_path: Path) -> None:
    with running(tmp_path / "log", "--workers", "2") as server:
        seen = samples(server)

    for limit in LIMITS:
        assert seen["lagcast_refused_requests_total", limit] == 0
    for name in ("lstm", "mlp"):
        assert seen["lagcast_reloads_total", name] == 0
        assert seen["lagcast_failed_loads_total", name, "verification"] == 0
        assert seen["lagcast_failed_loads_total", name, "self-test"] == 0
        assert seen["lagcast_predictions_total", name, "1"] == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_refused_version_is_named_and_it_and_a_swap_are_counted_once(workers: str, tmp_path: Path) -> None:
    models_dir, prepared = copy_of_shipped(tmp_path / "models"), copy_of_shipped(tmp_path / "prepared")
    add_version(prepared, "mlp", 2)
    (add_version(prepared, "mlp", 3) / LITERT_FILE).write_bytes(b"short")
    with running(tmp_path / "log", "--reload-seconds", "0.2", "--workers", workers, models_dir=models_dir) as server:
        (prepared / "mlp" / "2").rename(models_dir / "mlp" / "2")  # atomically, as publishing does
        wait_for(server, lambda seen: seen["lagcast_live_version", "mlp"] == 2)
        (prepared / "mlp" / "3").rename(models_dir / "mlp" / "3")
        wait_for(server, lambda seen: any(key[0] == "lagcast_refused_version" for key in seen))
        # The worker that is asked may have started after the swap; the other's count comes a second later.
        seen = wait_for(server, lambda seen: seen["lagcast_reloads_total", "mlp"] >= 1)
        refused = httpx.get(f"{server.url}/models/mlp").json()["refused"]

    assert seen["lagcast_reloads_total", "mlp"] == 1
    assert seen["lagcast_failed_loads_total", "mlp", "verification"] == 1
    assert seen["lagcast_refused_version", "mlp", refused[0]["reason"], "3"] == 1


def test_every_answer_has_a_request_id_and_a_sane_one_that_was_sent_is_kept(client: httpx.Client) -> None:
    made = [client.get("/models").headers["x-request-id"], client.post("/predict/mlp").headers["x-request-id"]]
    sent = client.post("/predict/mlp", json={"value": 5}, headers={"X-Request-ID": "a1-B2_c.3"}).headers
    insane = client.get("/nowhere", headers={"X-Request-ID": "a b\t<script>"}).headers

    assert len(set(made)) == 2
    assert all(re.fullmatch("[0-9a-f]{16}-[0-9a-f]+", request_id) for request_id in made)
    assert sent["x-request-id"] == "a1-B2_c.3"
    assert re.fullmatch("[0-9a-f]{16}-[0-9a-f]+", insane["x-request-id"])


def test_away_from_a_terminal_the_log_is_json_from_start_to_stop(tmp_path: Path) -> None:
    with running(tmp_path / "log") as server:
        httpx.get(f"{server.url}/models")

    events = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    messages = [event["message"] for event in events]
    assert {"lstm/1 is live", "mlp/1 is live", "ready", "SIGTERM received: serving for another 0 seconds"} <= set(
        messages
    )
    assert not [message for message in messages if "/models" in message]
    assert all(event.keys() >= {"time", "level", "logger"} for event in events)


def test_with_the_access_log_on_a_request_is_a_line_with_its_id(tmp_path: Path) -> None:
    with running(tmp_path / "log", LAGCAST_ACCESS_LOG="true") as server:
        httpx.post(f"{server.url}/predict/mlp", json={"value": 5}, headers={"X-Request-ID": "mine"})

    events = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    event = next(event for event in events if event["logger"] == "lagcast.access" and "predict" in event["message"])
    assert re.fullmatch(r"POST /predict/mlp 200 \d+\.\d{3} ms", event["message"])
    assert event["request_id"] == "mine"
