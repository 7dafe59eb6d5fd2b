"""Lifecycle: versions are added, removed, damaged, pinned and unpinned; it looks only when the test calls it."""

import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from artifact import CARD_FILE, LITERT_FILE, Artifact, pin, publish, unpin, verify
from service.inference.engine import LiteRTEngine
from service.inference.errors import UnknownVersion
from service.inference.watched import KEPT
from tests.artifact.test_repository import draft, swap_for_folder
from tests.deciding import Deciding
from tests.repository import SHIPPED, add_version, change_card, copy_of_shipped, replace_file
from tests.waiting import wait_for


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return copy_of_shipped(tmp_path)


@pytest.fixture
def deciding(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Deciding:
    return Deciding(models_dir, tmp_path_factory.mktemp("store"))


def live(deciding: Deciding) -> int:
    return deciding.live()


def test_what_is_published_is_live_after_the_next_look(deciding: Deciding, models_dir: Path) -> None:
    add_version(models_dir, "lstm", 2)
    assert live(deciding) == 1

    deciding.refresh()

    assert live(deciding) == 2
    assert deciding.lifecycle.live("mlp").card.version == 1


def test_a_look_that_finds_nothing_new_loads_nothing(deciding: Deciding) -> None:
    before = deciding.lifecycle.live("lstm")

    deciding.refresh()

    assert deciding.lifecycle.live("lstm") is before


def test_the_last_three_good_versions_are_kept_and_no_other(deciding: Deciding, models_dir: Path) -> None:
    for version in range(2, 7):
        add_version(models_dir, "lstm", version)
        deciding.refresh()

    assert sorted(deciding.lifecycle.state("lstm").kept) == [4, 5, 6]
    assert deciding.lifecycle.live("lstm", 4).card.version == 4
    with pytest.raises(UnknownVersion, match="the kept ones are 4, 5, 6"):
        deciding.lifecycle.live("lstm", 3)
    assert len(deciding.decider._roster.models["lstm"].entries) == KEPT


def test_a_process_that_starts_late_keeps_the_same_versions(
    models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for version in range(2, 7):
        add_version(models_dir, "lstm", version)
    replace_file(models_dir / "lstm" / "5", LITERT_FILE, b"x")
    deciding = Deciding(models_dir, tmp_path_factory.mktemp("store"))

    assert sorted(deciding.lifecycle.state("lstm").kept) == [3, 4, 6]


def test_a_pinned_version_is_live_until_it_is_unpinned(deciding: Deciding, models_dir: Path) -> None:
    for version in range(2, 7):
        add_version(models_dir, "lstm", version)
    deciding.refresh()

    pin(models_dir, "lstm", 1)
    deciding.refresh()
    assert live(deciding) == 1
    assert deciding.lifecycle.state("lstm").pinned == 1

    add_version(models_dir, "lstm", 7)
    deciding.refresh()
    assert live(deciding) == 1

    unpin(models_dir, "lstm")
    deciding.refresh()
    assert live(deciding) == 7
    assert deciding.lifecycle.state("lstm").pinned is None


def test_a_pin_that_cannot_be_followed_changes_nothing(deciding: Deciding, models_dir: Path) -> None:
    add_version(models_dir, "lstm", 2)
    deciding.refresh()

    for content in ("9", "word", ""):
        (models_dir / "lstm" / "pin").write_text(content)
        deciding.refresh()
        assert live(deciding) == 2


def test_a_pin_on_a_bad_version_keeps_the_old_one(deciding: Deciding, models_dir: Path) -> None:
    add_version(models_dir, "lstm", 2)
    add_version(models_dir, "lstm", 3)
    pin(models_dir, "lstm", 2)
    deciding.refresh()
    (models_dir / "lstm" / "pin").write_text("1")
    (models_dir / "lstm" / "1" / LITERT_FILE).unlink()

    deciding.refresh()

    assert live(deciding) == 2


@pytest.mark.parametrize("loss", ["removed", "damaged"])
def test_a_live_version_that_vanishes_is_served_from_memory_with_a_warning(
    deciding: Deciding, models_dir: Path, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = add_version(models_dir, "lstm", 2)
    deciding.refresh()
    if loss == "removed":
        shutil.rmtree(folder)
    else:
        (folder / LITERT_FILE).write_bytes(b"x")

    with caplog.at_level(logging.WARNING, "lagcast"):
        deciding.refresh()
        deciding.refresh()

    assert live(deciding) == 2
    assert not deciding.lifecycle.state("lstm").in_repository
    assert caplog.text.count("lstm/2 is served from memory") == 1
    add_version(models_dir, "lstm", 3)
    deciding.refresh()
    assert live(deciding) == 3


def test_a_number_that_is_published_anew_is_loaded_anew(deciding: Deciding, models_dir: Path) -> None:
    shutil.rmtree(add_version(models_dir, "lstm", 2))
    add_version(models_dir, "lstm", 2, seed=7)
    deciding.refresh()
    shutil.rmtree(models_dir / "lstm" / "2")
    add_version(models_dir, "lstm", 2, seed=8)

    deciding.refresh()

    assert deciding.lifecycle.live("lstm").card.seed == 8


def swap_for_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def swap_for_link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def lies_about_its_shape(folder: Path) -> None:
    replace_file(folder, LITERT_FILE, (SHIPPED / "mlp" / "1" / LITERT_FILE).read_bytes())


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no card": (lambda f: (f / CARD_FILE).unlink(), "card.json: No such file"),
    "an empty card": (lambda f: (f / CARD_FILE).write_text(""), "card.json: the file: Invalid JSON"),
    "half a card": (lambda f: os.truncate(f / CARD_FILE, 500), "card.json: the file: Invalid JSON"),
    "a card of a newer schema": (lambda f: change_card(f, schema_version=3), "newer than this code"),
    "a card of another number": (lambda f: change_card(f, version=3), "is the card of lstm/3"),
    "a card with a golden sample of another length": (
        lambda f: change_card(f, golden=[{"window": [1], "prediction": 1}]),
        "a golden sample has another length",
    ),
    "a card with another window": (lambda f: change_card(f, window=4), "does not hold rows of one window"),
    "a missing network": (lambda f: (f / LITERT_FILE).unlink(), "model.tflite: No such file"),
    "half a network": (lambda f: os.truncate(f / LITERT_FILE, 999), "has 999 bytes"),
    "a wrong checksum": (
        lambda f: (f / LITERT_FILE).write_bytes(bytes((f / LITERT_FILE).stat().st_size)),
        "its sha256 is not",
    ),
    "half a network with its checksum": (lambda f: replace_file(f, LITERT_FILE, b"TFL3" * 99), "cannot be run"),
    "a network of another shape": (lies_about_its_shape, "has the shape [None, 1]"),
    "golden samples not met": (
        lambda f: change_card(f, golden=[{"window": [1, 2, 3, 4, 5], "prediction": 9}]),
        "does not repeat the golden samples",
    ),
    "a pipe for a file": (lambda f: swap_for_pipe(f / LITERT_FILE), "model.tflite: is not a file"),
    "a link out of the repository": (lambda f: swap_for_link(f / LITERT_FILE, Path("/dev/zero")), "leads out of"),
    "a link to nowhere": (lambda f: swap_for_link(f / CARD_FILE, f / "none"), "card.json: No such file"),
    "a folder for a card": (lambda f: swap_for_folder(f / CARD_FILE), "card.json: Is a directory"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_new_version_that_is_damaged_leaves_the_old_one_live_and_the_reason_told(
    deciding: Deciding, models_dir: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage, reason = DAMAGES[kind]
    damage(add_version(models_dir, "lstm", 2))

    with caplog.at_level(logging.WARNING, "lagcast"):
        deciding.refresh()
        deciding.refresh()

    assert live(deciding) == 1
    assert reason in deciding.lifecycle.state("lstm").refused[2]
    assert str(models_dir) not in deciding.lifecycle.state("lstm").refused[2]
    assert caplog.text.count("refused lstm/2") == 1, "it is tried once until its files change"


def test_a_damaged_version_that_is_mended_is_live(deciding: Deciding, models_dir: Path) -> None:
    folder = add_version(models_dir, "lstm", 2)
    network = (folder / LITERT_FILE).read_bytes()
    (folder / LITERT_FILE).write_bytes(network[:-1])
    deciding.refresh()
    assert live(deciding) == 1

    (folder / LITERT_FILE).write_bytes(network)
    deciding.refresh()

    assert live(deciding) == 2
    assert deciding.lifecycle.state("lstm").refused == {}


def test_a_version_folder_that_is_a_link_out_of_the_repository_is_refused(
    deciding: Deciding, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = copy_of_shipped(tmp_path_factory.mktemp("elsewhere")) / "lstm" / "1"
    change_card(elsewhere, version=2)
    (models_dir / "lstm" / "2").symlink_to(elsewhere)

    deciding.refresh()

    assert "leads out of the repository" in deciding.lifecycle.state("lstm").refused[2]


def test_with_a_card_key_only_what_was_signed_with_it_is_live(models_dir: Path, tmp_path: Path) -> None:
    files = verify(models_dir, "lstm", 1).files
    signed = tmp_path / "signed"
    publish(signed, draft("mlp"), verify(models_dir, "mlp", 1).files, key=b"right")
    publish(signed, draft("lstm"), files, key=b"right")
    publish(signed, draft("lstm"), files, key=b"wrong")
    publish(signed, draft("lstm"), files)

    deciding = Deciding(signed, tmp_path / "store", keys=[b"right"])

    assert live(deciding) == 1
    assert deciding.lifecycle.state("lstm").refused == {
        2: "lstm/2/card.hmac: is not the signature of its card",
        3: "lstm/3/card.hmac: No such file or directory",
    }


def test_an_unforeseen_error_does_not_end_the_watching(
    models_dir: Path, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    troubles = [RuntimeError("unforeseen")]

    def make_engine(artifact: Artifact) -> LiteRTEngine:
        if artifact.card.version == 2 and troubles:
            raise troubles.pop()
        return LiteRTEngine(artifact)

    deciding = Deciding(models_dir, tmp_path_factory.mktemp("store"), make_engine=make_engine)
    with deciding.own.feeding(deciding.lifecycle):
        add_version(models_dir, "lstm", 2)
        wait_for_2(deciding)

    assert "RuntimeError: unforeseen" in caplog.text


def wait_for_2(deciding: Deciding) -> None:
    wait_for(lambda: live(deciding) == 2)


def test_watching_looks_by_itself_and_ends_with_its_context(deciding: Deciding, models_dir: Path) -> None:
    with deciding.own.feeding(deciding.lifecycle):
        add_version(models_dir, "lstm", 2)
        wait_for_2(deciding)
    time.sleep(0.2)
    add_version(models_dir, "lstm", 3)
    time.sleep(0.3)

    assert live(deciding) == 2
