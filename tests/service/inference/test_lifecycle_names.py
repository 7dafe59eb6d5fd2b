"""Lifecycle: the model names that are served, and the readiness of the process."""

import shutil
from pathlib import Path

import pytest

from artifact import CARD_FILE, ArtifactError
from service.inference.errors import NotReady, UnknownModel
from tests.deciding import Deciding
from tests.repository import change_card, copy_of_shipped


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return copy_of_shipped(tmp_path)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def test_a_broken_model_among_good_ones_is_not_live_and_says_why(models_dir: Path, store: Path) -> None:
    (models_dir / "mlp" / "1" / CARD_FILE).unlink()

    lifecycle = Deciding(models_dir, store).lifecycle

    assert lifecycle.names() == ["lstm", "mlp"]
    assert lifecycle.live("lstm").card.version == 1
    lifecycle.check_ready()
    with pytest.raises(NotReady, match=r"no version of mlp can be served: mlp/1/card\.json: No such file"):
        lifecycle.live("mlp")
    assert lifecycle.state("mlp").live is None


def test_a_name_that_appears_later_is_served_and_one_that_never_was_good_is_forgotten(
    store: Path, models_dir: Path
) -> None:
    deciding = Deciding(models_dir, store)
    lifecycle = deciding.lifecycle
    shutil.copytree(models_dir / "lstm" / "1", models_dir / "sales-2.lstm" / "1")
    change_card(models_dir / "sales-2.lstm" / "1", name="sales-2.lstm")
    (models_dir / "broken" / "1").mkdir(parents=True)
    deciding.refresh()
    assert lifecycle.names() == ["broken", "lstm", "mlp", "sales-2.lstm"]
    assert lifecycle.live("sales-2.lstm").card.name == "sales-2.lstm"

    shutil.rmtree(models_dir / "broken")
    deciding.refresh()

    with pytest.raises(UnknownModel, match="the models are lstm, mlp, sales"):
        lifecycle.state("broken")


def test_the_process_is_not_ready_without_a_required_model(models_dir: Path, store: Path) -> None:
    lifecycle = Deciding(models_dir, store, required=("lstm", "sales")).lifecycle

    with pytest.raises(NotReady, match="the required model sales is not in the repository"):
        lifecycle.check_ready()


def test_without_any_good_version_nothing_is_loaded(models_dir: Path, store: Path) -> None:
    for name in ("lstm", "mlp"):
        (models_dir / name / "1" / CARD_FILE).unlink()

    with pytest.raises(ArtifactError, match=r"lstm/1/card\.json: No such file.*; mlp/1/card\.json: No such file"):
        Deciding(models_dir, store)
