"""Many models: each is loaded when it is first asked for, and put away when others were used more recently."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from artifact import CARD_FILE
from benchmarks.many.models import Model, Repository
from tests.repository import SHIPPED
from tests.server import Server, running
from tests.waiting import wait_for

PAIRS, MOST = 60, 10


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("many"), SHIPPED)


@pytest.fixture(scope="module")
def models(repository: Repository) -> list[Model]:
    return list(repository.pairs(PAIRS))


@pytest.fixture(scope="module", params=[1, 2])
def server(
    request: pytest.FixtureRequest,
    repository: Repository,
    models: list[Model],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    assert models
    log, count = tmp_path_factory.mktemp("log") / "log", str(request.param)
    with running(log, "--workers", count, "--max-loaded", str(MOST), models_dir=repository.folder) as server:
        yield server


@pytest.fixture
def settle(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Wait until the metrics have the counts of every worker: each shares its own once a second."""
    pause = 1.1 if request.node.callspec.params["server"] > 1 else 0
    return lambda: time.sleep(pause)


def ask(server: Server, model: Model) -> float:
    answer = httpx.post(f"{server.url}/predict/{model.name}", json=model.content).raise_for_status().json()
    assert answer["model"] == model.name
    return float(answer["prediction"])


def metric(server: Server, name: str) -> float:
    """A metric without labels, or the sum over them."""
    families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    return sum(s.value for family in families for s in family.samples if s.name == name)


def test_every_model_answers_with_its_own_numbers_the_first_time_and_after_it_was_put_away(
    server: Server, models: list[Model]
) -> None:
    for model in [*models[-30:], *models[-30:]]:
        assert ask(server, model) == pytest.approx(model.prediction, rel=1e-5)

    assert metric(server, "lagcast_loaded_models") <= 2 * MOST
    wait_for(lambda: metric(server, "lagcast_evictions_total") >= 20)  # those of the other worker come a second later
    assert metric(server, "lagcast_models") == 2 * PAIRS


def test_a_hundred_first_requests_to_one_model_are_answered_and_load_it_once(
    server: Server, models: list[Model], settle: Callable[[], None]
) -> None:
    settle()
    before = metric(server, "lagcast_loads_total")

    async def ask_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"{server.url}/predict/{models[8].name}"
            return await asyncio.gather(*(client.post(url, json=models[8].content) for _ in range(100)))

    answers = asyncio.run(ask_all())

    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["prediction"] for answer in answers] == [pytest.approx(models[8].prediction, rel=1e-5)] * 100
    settle()
    assert metric(server, "lagcast_loads_total") - before <= 2, "at most once in each worker"


def test_a_model_that_is_not_loaded_answers_in_every_protocol(server: Server, models: list[Model]) -> None:
    lstm = [model for model in models[10:40] if model.name.endswith("lstm")]
    window = lstm[0].content["window"]
    tensor = {"name": "window", "shape": [1, 5], "datatype": "FP32", "data": window}
    series = {"type": "univariate_time_series", "name": "x", "series": window, "frequency": "D"}
    first, second, third = lstm[:3]
    v2 = httpx.post(f"{server.url}/v2/models/{first.name}/infer", json={"inputs": [tensor]}).json()
    v1 = httpx.post(f"{server.url}/v1/models/{second.name}:predict", json={"instances": [window]}).json()
    content = {"model": third.name, "inputs": [series], "options": {"horizon": 1}}
    timed = httpx.post(f"{server.url}/v1/timeseries/forecast", json=content).json()

    assert v2["outputs"][0]["data"] == [pytest.approx(first.prediction, rel=1e-5)]
    assert v1["predictions"] == [[pytest.approx(second.prediction, rel=1e-5)]]
    assert timed["outputs"][0]["content"][0]["mean_forecast"] == [pytest.approx(third.prediction, rel=1e-5)]
    assert httpx.get(f"{server.url}/v2/models/{lstm[3].name}/ready").json()["ready"]
    assert httpx.get(f"{server.url}/v1/models/{lstm[4].name}").json()["model_version_status"][0]["state"] == "AVAILABLE"
    assert httpx.get(f"{server.url}/v2/models/{lstm[5].name}").json()["versions"] == ["1"]
    assert httpx.get(f"{server.url}/models/{lstm[6].name}").json()["card"]["name"] == lstm[6].name
    detail = httpx.get(f"{server.url}/model_params", params={"model": lstm[7].name}).json()["detail"]
    assert detail == {"input_size": 5, "horizon": 1}


def test_a_damaged_model_that_was_never_asked_for_is_refused_at_the_first_request(
    server: Server, repository: Repository, models: list[Model]
) -> None:
    model = models[41]
    card = repository.folder / model.name / "1" / CARD_FILE
    before = card.read_text()
    card.write_text(json.dumps(json.loads(before) | {"golden": [{"window": [1.0], "forecast": [1e6]}]}))
    answer = httpx.post(f"{server.url}/predict/{model.name}", json=model.content)
    ready = httpx.get(f"{server.url}/v2/models/{model.name}/ready")
    card.write_text(before)

    assert answer.status_code == ready.status_code == 503
    assert "does not repeat the golden samples" in answer.json()["detail"]
    wait_for(lambda: httpx.get(f"{server.url}/v2/models/{model.name}/ready").status_code == 200)
    assert httpx.get(f"{server.url}/predict/nowhere").status_code == 405
    assert httpx.post(f"{server.url}/predict/nowhere", json=model.content).status_code == 404


def test_a_new_version_of_a_model_and_a_new_model_are_live_though_others_were_asked_since(
    server: Server, repository: Repository, models: list[Model]
) -> None:
    asked = models[50]
    ask(server, asked)
    for model in models[20 : 20 + MOST]:
        ask(server, model)
    newer = repository.write(asked.name, "lstm", 900, version=2)
    added = repository.write(f"added-{time.time_ns()}", "mlp", 901)

    wait_for(lambda: ask(server, asked) == pytest.approx(newer.prediction, rel=1e-5))
    wait_for(lambda: httpx.get(f"{server.url}/v2/models/{added.name}/ready").status_code == 200)
    assert ask(server, added) == pytest.approx(added.prediction, rel=1e-5)

    shutil.rmtree(repository.folder / asked.name / "2")
    shutil.rmtree(repository.folder / added.name)


def test_the_index_has_all_names_and_says_what_was_never_asked_for(server: Server, models: list[Model]) -> None:
    page = httpx.get(f"{server.url}/models", params={"prefix": "series-0005", "limit": 3}).json()["models"]

    def index(**wanted: bool) -> list[dict[str, str]]:
        found: list[dict[str, str]] = httpx.post(f"{server.url}/v2/repository/index", json=wanted or None).json()
        return found

    def all_waiting_ones_were_never_asked_for() -> bool:
        waiting = [entry for entry in index() if entry["state"] == "UNAVAILABLE"]
        reasons = {entry["reason"] for entry in waiting}
        counts = len(index(ready=True)) == len(index()) - len(waiting)
        return counts and reasons == {"not loaded yet; the first request loads it"}

    assert {entry["name"] for entry in index()} >= {model.name for model in models}
    wait_for(all_waiting_ones_were_never_asked_for)  # in whichever worker answers
    assert [model["name"] for model in page] == ["series-00050-lstm", "series-00050-mlp", "series-00051-lstm"]


def in_every_worker(server: Server, model: Model, status: int) -> bool:
    """Whether each of many connections, which go to any worker, gets a status."""
    with httpx.Client(headers={"Connection": "close"}) as client:
        return all(client.get(f"{server.url}/v2/models/{model.name}/ready").status_code == status for _ in range(16))


def test_a_model_that_was_loaded_stays_and_one_that_was_unloaded_is_not_served_in_any_worker(
    server: Server, models: list[Model]
) -> None:
    kept, gone = models[60], models[61]
    url = f"{server.url}/v2/repository/models"
    assert httpx.post(f"{url}/{kept.name}/load").json() == {}
    for model in models[20 : 20 + 2 * MOST]:
        ask(server, model)
    assert httpx.post(f"{url}/{gone.name}/unload", json={"parameters": {"unload_dependents": False}}).json() == {}

    loaded = httpx.get(f"{server.url}/models", params={"prefix": kept.name, "cards": False}).json()["models"]
    assert in_every_worker(server, gone, 503)
    answer = httpx.get(f"{server.url}/v2/models/{gone.name}/ready")
    index = {entry["name"]: entry for entry in httpx.post(f"{server.url}/v2/repository/index").json()}

    assert "loaded" not in loaded[0], "it is said of models that are not"
    assert answer.status_code == 503
    assert "was unloaded" in answer.json()["error"]
    status = httpx.get(f"{server.url}/v1/models/{gone.name}").json()
    assert [version["state"] for version in status["model_version_status"]] == ["END"]
    assert status["ready"] is False
    assert gone.name not in httpx.get(f"{server.url}/health/ready").json()["models"]
    assert httpx.get(f"{server.url}/models", params={"prefix": gone.name}).json()["models"][0]["loaded"] is False
    assert (index[gone.name]["state"], index[gone.name]["reason"]) == ("UNAVAILABLE", "unloaded")
    for _ in range(3):
        assert httpx.post(f"{url}/{gone.name}/load", timeout=60).status_code == 200
        assert in_every_worker(server, gone, 200)
        assert httpx.post(f"{url}/{gone.name}/unload", timeout=60).status_code == 200
        assert in_every_worker(server, gone, 503)
    assert httpx.post(f"{url}/{gone.name}/load", timeout=60).status_code == 200
    assert ask(server, gone) == pytest.approx(gone.prediction, rel=1e-5)


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("nowhere/load", {}, 404),
        ("nowhere/unload", {}, 404),
        ("series-00000-mlp/load", {"parameters": {"config": "{}"}}, 400),
    ],
)
def test_a_request_to_load_what_is_not_published_is_refused(
    server: Server, path: str, content: dict[str, object], status: int
) -> None:
    answer = httpx.post(f"{server.url}/v2/repository/models/{path}", json=content)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("name", ["a%00b", "..", "x" * 300, "%ff" * 2000])
def test_what_cannot_be_a_name_is_unknown_and_is_neither_looked_for_nor_remembered(server: Server, name: str) -> None:
    known = metric(server, "lagcast_models")

    for control in ("load", "unload"):
        path = f"/v2/repository/models/{name}/{control}".encode()
        assert httpx.post(httpx.URL(server.url).copy_with(raw_path=path), timeout=60).status_code == 404
    assert metric(server, "lagcast_models") == known
    assert "cannot look into" not in server.log.read_text()


def test_a_long_list_of_models_is_that_of_its_pages(server: Server) -> None:
    pages: list[dict[str, object]] = []
    with httpx.Client(base_url=server.url, params={"cards": False}) as client:  # one connection: to the same worker
        whole = client.get("/models")
        while page := client.get(
            "/models", params={"limit": 30, "after": str(pages[-1]["name"]) if pages else ""}
        ).json()["models"]:
            pages += page

    assert whole.headers["content-type"] == "application/json"
    assert whole.headers["transfer-encoding"] == "chunked", "it is sent in parts"
    assert whole.json() == {"models": pages}
    assert len(pages) >= 2 * PAIRS


def test_nobody_can_unload_a_required_model_or_any_model_where_it_is_not_allowed(tmp_path: Path) -> None:
    arguments = ("--required-models", "mlp", "--model-control", "true")
    with running(tmp_path / "log", *arguments) as server:
        refused = httpx.post(f"{server.url}/v2/repository/models/mlp/unload")
    with running(tmp_path / "log", "--model-control", "false") as server:
        absent = httpx.post(f"{server.url}/v2/repository/models/mlp/unload")
        extensions = httpx.get(f"{server.url}/v2").json()["extensions"]

    assert (refused.status_code, absent.status_code) == (400, 404)
    assert extensions == ["binary_tensor_data"]
