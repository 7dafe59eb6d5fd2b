"""/score: errors of live and kept versions and of baselines on actual values; totals over all workers."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from artifact import verify
from service.telemetry.scores import ABSOLUTE, ACTUALS, COVERED, SQUARED
from tests.contract.test_metrics import samples, wait_for
from tests.repository import AIRLINE, SHIPPED, add_version, change_card
from tests.server import Server, running
from tests.waiting import PATIENCE

WINDOW, STEPS, SEASON = 24, 12, 12
WINDOWS = [AIRLINE[i : i + WINDOW] for i in range(80, 108)]
ACTUALS_OF = [AIRLINE[i + WINDOW : i + WINDOW + STEPS] for i in range(80, 108)]
KNOWN: list[list[float | None]] = [[*row] for row in ACTUALS_OF]
KNOWN[-1][3:] = [None] * 9
KNOWN[0][0] = None
COUNT = len(WINDOWS) * STEPS - 10
BODY = {"windows": WINDOWS, "actuals": KNOWN}


def with_versions(models_dir: Path, folder: Path) -> Path:
    """With airline/2 without intervals, airline/3, and `mixed`, whose two versions are of different kinds."""
    shutil.copytree(models_dir, folder)
    add_version(folder, "airline", 2, intervals=None)
    add_version(folder, "airline", 3)
    shutil.copytree(SHIPPED / "lstm" / "1", folder / "mixed" / "1")
    change_card(folder / "mixed" / "1", name="mixed")
    shutil.copytree(models_dir / "airline" / "1", folder / "mixed" / "2")
    change_card(folder / "mixed" / "2", name="mixed", version=2, valid_days=30)
    return folder


WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture(scope="module")
def models_dir(airline_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_versions(airline_models, tmp_path_factory.mktemp("score") / "models")


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def scored(
    request: pytest.FixtureRequest, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("scored") / "log"
    with running(log, "--workers", request.param, models_dir=models_dir) as server:
        yield server


@pytest.fixture
def fresh(workers: str, models_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """A service that has scored nothing yet: the counts of its workers come together a second late."""
    with running(tmp_path / "log", "--workers", workers, models_dir=models_dir) as server:
        yield server


def score(server: Server, name: str = "airline", body: Any = None) -> httpx.Response:
    return httpx.post(f"{server.url}/score/{name}", json=BODY if body is None else body)


def expected(server: Server, models_dir: Path, version: int) -> dict[str, Any]:
    """The errors, computed from the answers of /forecast."""
    asked = {"windows": WINDOWS, "levels": [80, 95]} if version != 2 else {"windows": WINDOWS}
    answer = httpx.post(f"{server.url}/forecast/airline/batch?version={version}", json=asked).json()
    actuals = np.array(KNOWN, float)
    known = ~np.isnan(actuals)
    windows = np.array(WINDOWS)
    naive = np.repeat(windows[:, -1:], STEPS, axis=1)
    coverage = {
        level: np.mean(((np.array(ends["lower"]) <= actuals) & (actuals <= np.array(ends["upper"])))[known])
        for level, ends in answer["intervals"].items()
    }
    mae, rmse = errors(np.array(answer["forecasts"]), actuals)
    evaluation = verify(models_dir, "airline", 1).card.evaluation
    return {
        "version": version,
        "actuals": COUNT,
        "mae": mae,
        "rmse": rmse,
        "mase": mae / (evaluation.persistence.mae / (evaluation.persistence.mase or 0)),
        "persistence": dict(zip(("mae", "rmse"), errors(naive, actuals), strict=True)),
        "seasonal_naive": dict(zip(("mae", "rmse"), errors(windows[:, -SEASON:], actuals), strict=True)),
        "coverage": coverage,
    }


def errors(forecasts: np.ndarray, actuals: np.ndarray) -> tuple[float, float]:
    found = np.abs(forecasts - actuals)
    return float(np.nanmean(found)), float(np.sqrt(np.nanmean(found**2)))


def test_each_version_is_scored_on_the_actual_values_that_are_known(scored: Server, models_dir: Path) -> None:
    answer = score(scored).json()

    assert (answer["model"], answer["version"], answer["skipped"]) == ("airline", 3, [])
    assert [found["version"] for found in answer["scores"]] == [3, 2, 1]
    for found in answer["scores"]:
        errors = expected(scored, models_dir, found["version"])
        for key in ("coverage", "persistence", "seasonal_naive"):
            assert found[key] == pytest.approx(errors[key]), key
        for key in ("actuals", "mae", "rmse", "mase"):
            assert found[key] == pytest.approx(errors[key], rel=1e-5), key
    assert answer["scores"][1]["coverage"] == {}, "version 2 has no intervals"


def test_a_kept_version_that_takes_or_answers_something_else_is_skipped_with_the_reason(scored: Server) -> None:
    answer = score(scored, "mixed").json()

    assert [found["version"] for found in answer["scores"]] == [2]
    assert answer["skipped"] == [{"version": 1, "reason": "its first step is 0 rows ahead, that of the live version 1"}]


def test_a_model_of_one_value_takes_values_and_has_no_baseline_where_the_target_is_another_series(
    scored: Server,
) -> None:
    (found,) = score(scored, "mlp", {"values": [5, 6], "actuals": [[8.8], [None]]}).json()["scores"]

    assert (found["actuals"], found["persistence"], found["seasonal_naive"]) == (1, None, None)
    assert found["mae"] == pytest.approx(1, rel=1e-3)
    assert found["mase"] == pytest.approx(1 / 1.8, rel=1e-3)


def test_without_a_known_actual_there_are_no_errors(scored: Server) -> None:
    (found, *_) = score(scored, body={"windows": WINDOWS[:1], "actuals": [[None] * STEPS]}).json()["scores"]

    assert found["actuals"] == 0
    assert found["mae"] is found["rmse"] is found["mase"] is found["persistence"]["mae"] is None
    assert found["coverage"] == {"80": None, "95": None}


def total(seen: dict[tuple[str, ...], float], metric: str, version: str, of: str | None = None) -> float:
    """A counter of the model airline, with its labels in any order."""
    wanted = {"airline", version} | ({of} if of else set())
    (found,) = [v for key, v in seen.items() if key[0] == f"{metric}_total" and set(key[1:]) == wanted]
    return found


@WORKERS
def test_errors_are_counted_once_by_version_whichever_worker_was_asked(fresh: Server) -> None:
    answers = [score(fresh).json() for _ in range(6)]  # each on a new connection
    live = answers[0]["scores"][0]

    seen = wait_for(fresh, lambda seen: total(seen, ACTUALS, "3") == 6 * COUNT)

    for version in ("1", "2", "3"):
        assert total(seen, ACTUALS, version) == 6 * COUNT
        assert total(seen, ABSOLUTE, version, "model") == pytest.approx(6 * COUNT * live["mae"])
        assert total(seen, SQUARED, version, "model") == pytest.approx(6 * COUNT * live["rmse"] ** 2)
        for naive in ("persistence", "seasonal_naive"):
            assert total(seen, ABSOLUTE, version, naive) == pytest.approx(6 * COUNT * live[naive]["mae"])
    assert total(seen, COVERED, "3", "80") == pytest.approx(6 * COUNT * live["coverage"]["80"])
    assert seen["lagcast_rows_total", "mixed", "2"] == 0, "scoring is no prediction"


def test_the_live_accuracy_is_that_of_all_workers(scored: Server) -> None:
    for _ in range(6):
        score(scored)
    seen = samples(scored)
    deadline = time.monotonic() + PATIENCE
    while True:
        found = httpx.get(f"{scored.url}/score/airline").json()
        if found["scores"][0]["actuals"] == total(samples(scored), ACTUALS, "3") >= total(seen, ACTUALS, "3"):
            break
        assert time.monotonic() < deadline, found

    assert (found["model"], found["version"]) == ("airline", 3)
    assert [each["version"] for each in found["scores"]] == [3, 2, 1]
    assert found["scores"][0]["coverage"].keys() == {"80", "95"}
    assert httpx.get(f"{scored.url}/score/nobody").status_code == 404


def test_a_refused_request_counts_nothing(scored: Server, request: pytest.FixtureRequest) -> None:
    pause = 1.5 if request.node.callspec.params["scored"] != "1" else 0  # each of several workers shares its counts

    def actuals() -> float:
        return total(samples(scored), ACTUALS, "3")

    time.sleep(pause)  # until every worker knows what other tests have sent
    before = actuals()
    overflowing = {"windows": [*WINDOWS, [3e38, -3e38] * 12], "actuals": [*KNOWN, [1] * STEPS]}

    assert score(scored, body=overflowing).json()["detail"][0]["loc"] == ["body", "windows", len(WINDOWS)]
    time.sleep(pause)
    assert actuals() == before


def test_a_large_request_is_scored_as_its_parts_are(scored: Server) -> None:
    part = score(scored).json()["scores"]
    whole = score(scored, body={"windows": WINDOWS * 200, "actuals": KNOWN * 200}).json()["scores"]

    for one, many in zip(part, whole, strict=True):
        assert many["actuals"] == 200 * one["actuals"]
        for key in ("mae", "rmse", "mase"):
            assert many[key] == pytest.approx(one[key])
        assert many["coverage"] == pytest.approx(one["coverage"])


def test_the_age_of_the_live_version_and_when_it_is_due_are_metrics(scored: Server, models_dir: Path) -> None:
    seen = samples(scored)
    created = verify(models_dir, "mixed", 2).card.created.timestamp()

    assert seen["lagcast_model_created_timestamp_seconds", "mixed", "2"] == pytest.approx(created)
    assert seen["lagcast_model_due_timestamp_seconds", "mixed", "2"] == pytest.approx(created + 30 * 86400)
    assert not [key for key in seen if key[0] == "lagcast_model_due_timestamp_seconds" and "airline" in key]


GOOD, ROW = WINDOWS[0], [1.0] * STEPS


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ({"windows": [GOOD]}, ["actuals"], "Field required"),
        ({"actuals": [ROW]}, ["windows"], "Field required"),
        ({"windows": [GOOD], "actuals": [ROW[1:]]}, ["actuals", 0], "at least 12"),
        ({"windows": [GOOD], "actuals": [[*ROW, 1]]}, ["actuals", 0], "at most 12"),
        ({"windows": [GOOD], "actuals": ROW}, ["actuals", 0], "valid array"),
        ({"windows": [GOOD], "actuals": [ROW, ROW]}, ["actuals"], "'windows' has 1 rows and 'actuals' has 2"),
        ({"windows": [GOOD], "actuals": []}, ["actuals"], "at least 1"),
        ({"windows": [], "actuals": []}, ["windows"], "at least 1"),
        ({"windows": [GOOD[1:]], "actuals": [ROW]}, ["windows", 0], "at least 24"),
        ({"windows": [[None, *GOOD[1:]]], "actuals": [ROW]}, ["windows", 0, 0], "valid number"),
        ({"windows": [GOOD], "actuals": [["1", *ROW[1:]]]}, ["actuals", 0, 0], "valid number"),
        ({"windows": [GOOD], "actuals": [[True, *ROW[1:]]]}, ["actuals", 0, 0], "valid number"),
        ({"windows": [GOOD], "actuals": [[1e39, *ROW[1:]]]}, ["actuals", 0, 0], "less than"),
        ({"windows": [GOOD], "actuals": [ROW], "levels": [80]}, [], "the keys are 'windows' and 'actuals'"),
        ({"windows": [[3e38, -3e38] * 12], "actuals": [ROW]}, ["windows", 0], "beyond float32"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    airline: httpx.Client, body: dict[str, Any], place: list[Any], words: str
) -> None:
    answer = airline.post("/score/airline", json=body)

    assert answer.status_code == 422, answer.text
    (problem, *_) = answer.json()["detail"]
    assert problem["loc"][:3] == ["body", *place][:3]
    assert words in problem["msg"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{" + b",".join(b'"%x":0' % i for i in range(100_000)) + b"}", "extra_forbidden"),
        (b'{"actuals":[' + b"null," * 3_000_000 + b"null]}", "too_long"),
    ],
    ids=["unknown keys", "nulls"],
)
def test_a_body_that_no_valid_one_comes_near_to_is_refused_by_its_punctuation(
    airline_models: Path, tmp_path: Path, content: bytes, kind: str
) -> None:
    with running(tmp_path / "log", "--max-batch-rows", "1000", models_dir=airline_models) as server:
        answer = httpx.post(
            f"{server.url}/score/airline", content=content, headers={"content-type": "application/json"}
        )

    assert answer.status_code == 422
    assert [problem["type"] for problem in answer.json()["detail"]] == [kind]


def test_other_failures_are_those_of_every_route(airline_models: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(hashlib.sha256(b"key").hexdigest() + "\n")
    options = ("--api-keys-file", keys, "--max-body-bytes", "10000", "--max-batch-rows", "20")
    with running(tmp_path / "log", *options, models_dir=airline_models) as server:
        url, known = f"{server.url}/score/airline", {"Authorization": "Bearer key"}
        body = {"windows": WINDOWS[:2], "actuals": KNOWN[:2]}

        assert httpx.post(url, json=body).status_code == 401
        assert httpx.get(url).status_code == 401
        assert httpx.post(url, json=body, headers=known).status_code == 200
        assert httpx.post(url, json={"windows": WINDOWS * 5, "actuals": KNOWN * 5}, headers=known).status_code == 413
        assert httpx.post(url, json={"windows": [GOOD] * 21, "actuals": [ROW] * 21}, headers=known).status_code == 422
        assert httpx.post(url, content=json.dumps(body), headers=known | {"content-type": "a/b"}).status_code == 415
        assert httpx.post(url, content=b"{", headers=known | {"content-type": "application/json"}).status_code == 400
        assert httpx.post(f"{server.url}/score/nobody", json=body, headers=known).status_code == 404
        assert httpx.put(url, json=body, headers=known).status_code == 405
