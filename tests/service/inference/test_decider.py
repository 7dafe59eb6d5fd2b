"""Decider: requests for many models at once, and tests that end between two looks."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from artifact.repository import read_version
from artifact.tester import LITERT_LOADER, Question, SelfTester, Verdict
from benchmarks.many.models import Repository
from service.inference.decider import LOOK_SECONDS, Decider
from service.inference.decision import SMALL
from service.inference.errors import NotReady
from service.inference.examiner import TICK_NS, WAIT_SECONDS
from service.inference.store import Store
from tests.deciding import TESTER, Deciding
from tests.repository import SHIPPED, add_version, copy_of_shipped


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("many") / "models", SHIPPED)


@pytest.fixture(scope="module")
def names(repository: Repository) -> list[str]:
    return [model.name for model in repository.pairs(SMALL // 2 + 1)]


def test_a_model_that_is_first_asked_for_while_the_repository_is_away_is_decided_on_when_it_is_back(
    repository: Repository, names: list[str], tmp_path: Path
) -> None:
    decider, name = Decider(repository.folder, Store(tmp_path), TESTER), names[-1]
    decider.settle()
    away = repository.folder.rename(repository.folder.with_name("away"))
    for asked in (name, "nowhere"):
        decider.ask(asked)
    decider.answer()
    meanwhile = decider.decision.models
    away.rename(repository.folder)
    decider.look()

    assert (meanwhile[name].live, meanwhile[name].reason()) == (None, f"{name}: the model repository is not there")
    assert "nowhere" not in meanwhile
    assert decider.decision.models[name].live is not None
    assert decider.decision.models[name].problem is None


def test_a_new_version_is_decided_on_while_many_other_models_are_asked_for(
    repository: Repository, names: list[str], tmp_path: Path
) -> None:
    ticks = itertools.count()
    decider = Decider(repository.folder, Store(tmp_path), TESTER, clock=lambda: next(ticks) * LOOK_SECONDS / 10)
    decider.settle()
    repository.write(names[0], "lstm", 900, version=2)
    for name in names[1:]:
        decider.ask(name)

    decider.look()

    live = decider.decision.models[names[0]].live
    assert live is not None
    assert live.number == 2
    assert any(decider.decision.models[name].is_waiting for name in names)
    for _ in names:
        decider.answer()
    assert not any(decider.decision.models[name].is_waiting for name in names)


class LaterTester(SelfTester):
    """Gives each verdict at the look after the one that asked for it, as for a test that takes long."""

    _later: Verdict | None = None

    def ask(self, question: Question, wait: float) -> Verdict | None:  # noqa: ARG002  # it always takes longer
        self._later = super().ask(question, 60)
        return None

    def poll(self, wait: float) -> Verdict | None:
        if wait == WAIT_SECONDS:  # of the look that asked
            return None
        found, self._later = self._later, None
        return found or super().poll(wait)


def test_a_version_whose_test_has_just_ended_is_stored_until_it_is_decided_on(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path)
    tester = LaterTester(LITERT_LOADER)
    deciding = Deciding(models_dir, tmp_path / "store", tester=tester)
    add_version(models_dir, "lstm", 2)
    time.sleep(3 * TICK_NS / 1e9)  # files that have just changed are read again
    deciding.decider.look()
    assert deciding.decider.is_testing

    deciding.decider.ask("mlp", "load")  # decided on before the version
    deciding.refresh()
    tester.stop()

    assert deciding.live() == 2


def test_contents_that_were_cleaned_away_are_stored_again(tmp_path: Path) -> None:
    deciding = Deciding(copy_of_shipped(tmp_path), tmp_path / "store")
    lstm, mlp = (deciding.lifecycle.state(name).decision.kept[1] for name in ("lstm", "mlp"))
    for sha256 in (lstm, mlp):
        (tmp_path / "store" / "tested" / sha256).unlink()

    deciding.refresh()

    assert [deciding.store.load(sha256).sha256 for sha256 in (lstm, mlp)] == [lstm, mlp]


def test_the_content_of_a_model_that_is_not_loaded_is_stored_again_once_it_was_missed(tmp_path: Path) -> None:
    deciding = Deciding(copy_of_shipped(tmp_path), tmp_path / "store", max_loaded=1)
    lifecycle, decider = deciding.lifecycle, deciding.decider
    lifecycle.ask = decider.ask
    deciding.store.save(read_version(tmp_path, "lstm", 1))  # the last one is kept in memory
    (tmp_path / "store" / "tested" / lifecycle.state("mlp").decision.kept[1]).unlink()
    with pytest.raises(NotReady, match="the stored files"):
        asyncio.run(lifecycle.load("mlp"))

    decider.answer()  # without a look at all models, which takes minutes to come round to one of thousands

    assert asyncio.run(lifecycle.load("mlp")).card.name == "mlp"


def test_a_decision_that_could_not_be_written_is_written_at_the_next_look(tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path)
    deciding = Deciding(models_dir, tmp_path / "store")
    decision = tmp_path / "store" / "decision.json"
    decision.unlink()
    decision.mkdir()  # cannot be replaced by a file
    add_version(models_dir, "lstm", 2)
    deciding.refresh()
    decision.rmdir()

    deciding.refresh()

    written = Store(tmp_path / "store").read_decision()
    assert written is not None
    assert written.serial == deciding.decider.decision.serial
