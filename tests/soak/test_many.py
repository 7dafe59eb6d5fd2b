"""Many models under load: loads, evictions, publishes and removals at once, each answer that of its model."""

import random
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from benchmarks.many.models import Model, Repository
from tests.repository import SHIPPED
from tests.server import Server, running

pytestmark = pytest.mark.soak

PAIRS, MOST, CLIENTS, REQUESTS, PUBLISHES = 150, 40, 4, 1500, 40


@pytest.fixture(params=[1, 2])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Repository, list[Model]]]:
    repository = Repository(tmp_path / "models", SHIPPED)
    models = list(repository.pairs(PAIRS))
    arguments = ("--workers", str(request.param), "--max-loaded", str(MOST))
    with running(tmp_path / "log", *arguments, models_dir=repository.folder) as server:
        yield server, repository, models


class Answers:
    """The right answers of each model: those of its versions, of which the newest may not be live yet."""

    def __init__(self, models: list[Model]) -> None:
        self.of = {model.name: [model] for model in models}

    def check(self, client: httpx.Client, url: str, name: str) -> str | None:
        """Ask a model. Returns what is wrong with the answer."""
        known = self.of[name]
        answer = client.post(f"{url}/predict/{name}", json=known[0].content)
        if answer.status_code != 200:
            return f"{name}: {answer.status_code} {answer.text}"
        found = answer.json()
        right = self.of[name][found["version"] - 1].prediction if found["version"] <= len(self.of[name]) else None
        return (
            None if found["prediction"] == pytest.approx(right, rel=1e-5) else f"{name}: {found} where {right} is right"
        )


def test_no_request_fails_and_each_answer_is_that_of_its_model_while_models_are_published_and_put_away(
    many: tuple[Server, Repository, list[Model]],
) -> None:
    server, repository, models = many
    answers, wrong, stop = Answers(models), list[str](), threading.Event()

    def ask_many(seed: int) -> None:
        chosen = random.Random(seed)
        with httpx.Client(timeout=60) as client:
            for _ in range(REQUESTS):
                problem = answers.check(client, server.url, chosen.choice(models).name)
                wrong.extend([problem] if problem else [])

    def publish() -> None:
        chosen = random.Random(0)
        for number in range(PUBLISHES):
            name = chosen.choice(models).name
            versions = answers.of[name]
            kind, version = name.rpartition("-")[2], len(versions) + 1
            versions.append(repository.model(name, kind, 1000 + number))  # first: it may answer at once
            repository.write(name, kind, 1000 + number, version)
            if stop.wait(0.2):
                return

    publisher = threading.Thread(target=publish)
    publisher.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask_many, range(CLIENTS)))
    stop.set()
    publisher.join()

    assert wrong == []
    with httpx.Client(timeout=60) as client:
        for name, versions in answers.of.items():
            deadline = time.monotonic() + 60
            while client.post(f"{server.url}/predict/{name}", json=versions[0].content).json()["version"] < len(
                versions
            ):
                assert time.monotonic() < deadline, name
        shutil.rmtree(repository.folder / models[0].name)
        assert answers.check(client, server.url, models[0].name) is None, "it is served from memory"
