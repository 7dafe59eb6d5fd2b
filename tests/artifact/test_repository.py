import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifact import (
    CARD_FILE,
    KERAS_FILE,
    LITERT_FILE,
    ArtifactError,
    CardDraft,
    agree,
    check_golden,
    publish,
    verify,
    versions,
)
from artifact.repository import FILE_PATTERN, Content, checksum
from tests.repository import CHECKOUT, SHIPPED, add_version, change_card, copy_of_shipped

FILES = {KERAS_FILE: b"keras", LITERT_FILE: b"litert"}


def draft(name: str = "lstm") -> CardDraft:
    return CardDraft(**verify(SHIPPED, name, 1).card.model_dump(exclude={"version", "created", "files"}))


def test_publishing_gives_the_next_integer_and_a_folder_that_verifies(tmp_path: Path) -> None:
    cards = [publish(tmp_path, draft(), FILES) for _ in range(3)]

    assert [card.version for card in cards] == versions(tmp_path, "lstm") == [1, 2, 3]
    artifact = verify(tmp_path, "lstm", 2)
    assert artifact.card == cards[1]
    assert artifact.files == FILES
    assert sorted(path.name for path in (tmp_path / "lstm").iterdir()) == ["1", "2", "3"]


def test_the_next_version_follows_the_highest_even_where_lower_ones_are_gone(tmp_path: Path) -> None:
    for _ in range(2):
        publish(tmp_path, draft(), FILES)
    shutil.rmtree(tmp_path / "lstm" / "1")

    assert publish(tmp_path, draft(), FILES).version == 3


def test_publishers_at_the_same_time_get_a_version_each(tmp_path: Path) -> None:
    publishers = [threading.Thread(target=publish, args=(tmp_path, draft(), FILES)) for _ in range(8)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()

    assert versions(tmp_path, "lstm") == list(range(1, 9))
    for version in range(1, 9):
        assert verify(tmp_path, "lstm", version).card.version == version


def test_a_publisher_that_was_killed_leaves_no_version_and_the_next_one_clears_up(tmp_path: Path) -> None:
    script = (
        "import os, sys, artifact\n"
        "from pathlib import Path\n"
        "from tests.artifact.test_repository import draft, FILES\n"
        "artifact.durable.flush_folder = lambda folder: os.kill(os.getpid(), 9)\n"
        "artifact.publish(Path(sys.argv[1]), draft(), FILES)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=CHECKOUT, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert versions(tmp_path, "lstm") == []
    assert publish(tmp_path, draft(), FILES).version == 1
    assert [path.name for path in (tmp_path / "lstm").iterdir()] == ["1"]


def test_a_publish_that_runs_out_of_room_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            publish(tmp_path, draft(), FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list((tmp_path / "lstm").iterdir()) == []


def test_only_folders_with_an_integer_name_are_versions(tmp_path: Path) -> None:
    for name in ("2", "10", "03", "0", "-1", "1x", ".publish-1", "latest"):
        (tmp_path / "lstm" / name).mkdir(parents=True)

    assert versions(tmp_path, "lstm") == [2, 10]
    assert versions(tmp_path, "mlp") == []


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_the_shipped_versions_verify(name: str) -> None:
    card = verify(SHIPPED, name, 1).card

    assert (card.name, card.version, card.horizon) == (name, 1, 0)
    assert card.input_range == ((0, 103) if name == "lstm" else (4, 103))
    assert card.config["recipe"] == "scaled"


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no card": (lambda folder: (folder / CARD_FILE).unlink(), "card.json: No such file or directory"),
    "card not JSON": (lambda folder: (folder / CARD_FILE).write_text("{"), "card.json: the file: Invalid JSON"),
    "card of schema 0": (lambda folder: change_card(folder, schema_version=0), "card.json: schema_version:"),
    "card with an unknown field": (lambda folder: change_card(folder, extra=1), "card.json: extra:"),
    "card of another version": (lambda folder: change_card(folder, version=7), "is the card of lstm/7"),
    "card of another model": (lambda folder: change_card(folder, name="mlp"), "is the card of mlp/1"),
    "card with a path": (
        lambda folder: change_card(folder, files={"../../mlp/1/model.keras": {"sha256": "0" * 64, "size": 1}}),
        "card.json: files",
    ),
    "card without a file": (lambda folder: change_card(folder, files={}), "lists no model.keras"),
    "missing file": (lambda folder: (folder / LITERT_FILE).unlink(), "model.tflite: No such file or directory"),
    "truncated file": (lambda folder: os.truncate(folder / LITERT_FILE, 10), "model.tflite: has 10 bytes"),
    "flipped bit": (lambda folder: flip_a_bit(folder / KERAS_FILE), "model.keras: its sha256 is not"),
    "card of a shape without sizes": (
        lambda folder: change_card(folder, input={"name": "window", "shape": [None, None, 1]}),
        "card.json: the file: Value error, the input's shape does not hold rows of one window",
    ),
    "link to itself": (lambda folder: swap_for_link_to_itself(folder / LITERT_FILE), "model.tflite: "),
    "folder for a file": (lambda folder: swap_for_folder(folder / LITERT_FILE), "model.tflite: Is a directory"),
}


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def swap_for_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def swap_for_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_version_is_refused_with_what_is_wrong_and_no_path_of_the_machine(kind: str, tmp_path: Path) -> None:
    damage, message = DAMAGES[kind]
    damage(copy_of_shipped(tmp_path) / "lstm" / "1")

    with pytest.raises(ArtifactError) as caught:
        verify(tmp_path, "lstm", 1)
    assert message in str(caught.value)
    assert str(caught.value).startswith("lstm/1/")
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.dictionaries(st.from_regex(FILE_PATTERN, fullmatch=True), st.binary(), min_size=1), st.data())
def test_files_that_were_packed_in_one_are_the_same_and_damage_is_noticed(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    content = Content(files, checksum(files))
    packed = content.pack()

    assert Content.unpack(packed) == content

    damaged = bytearray(packed)
    damaged[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(ValueError):
        assert Content.unpack(bytes(damaged)).sha256 != content.sha256


ODD: list[Any] = [None, [], {}, "", -1, 0, True, 2**63, 10**400, 1e308, math.nan, [None], "9" * 5000, "\ud800"]


def test_a_card_with_anything_odd_in_any_place_is_refused_or_read_and_raises_nothing_else(tmp_path: Path) -> None:
    file = copy_of_shipped(tmp_path) / "lstm" / "1" / CARD_FILE
    card = json.loads(file.read_text()) | {"fitted": [{"target": 1.0, "prediction": 1.0}]}
    refused = 0
    for place in places(card):
        for odd in ODD:
            changed = json.loads(json.dumps(card))
            reduce(lambda inner, key: inner[key], place[:-1], changed)[place[-1]] = odd
            file.write_text(json.dumps(changed))
            try:
                verify(tmp_path, "lstm", 1)
            except ArtifactError:
                refused += 1

    assert refused > 1000


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The path of keys to each value of a nested dictionary."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, found in inner:
        yield (key,)
        yield from ((key, *rest) for rest in places(found))


def test_a_card_of_random_damage_is_refused_or_read_and_raises_nothing_else(tmp_path: Path) -> None:
    file = copy_of_shipped(tmp_path) / "lstm" / "1" / CARD_FILE
    whole, chance, refused = file.read_bytes(), random.Random(20), 0
    for _ in range(2000):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 4, 32])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        file.write_bytes(content[: chance.choice([None, chance.randrange(len(content))])])
        try:
            verify(tmp_path, "lstm", 1)
        except ArtifactError:
            refused += 1

    assert refused > 1000


def test_a_forecast_of_another_number_of_steps_does_not_repeat_the_golden_samples() -> None:
    card = verify(SHIPPED, "mlp", 1).card
    expected = np.array([sample.forecast for sample in card.golden], np.float32)

    with pytest.raises(ArtifactError, match="does not repeat the golden samples"):
        check_golden(card, lambda _: np.repeat(expected, 2, axis=1))


def test_golden_samples_that_are_not_repeated_are_an_error() -> None:
    card = verify(SHIPPED, "mlp", 1).card
    right = np.array([sample.forecast for sample in card.golden], np.float32)

    check_golden(card, lambda _: right)
    for factor in (np.float32(1.001), np.float32("nan"), np.float32(0)):
        wrong = right * factor
        with pytest.raises(ArtifactError, match="does not repeat the golden samples"):
            check_golden(card, lambda _, wrong=wrong: wrong)  # type: ignore[misc]  # bound early


def test_predictions_agree_within_a_ten_thousandth_each() -> None:
    expected = np.array([[1], [1000], [1e6]], np.float32)
    windows = np.ones((3, 5), np.float32)

    assert agree(expected * np.float32(1.00009), expected, windows)
    assert not agree(expected * np.float32(1.00011), expected, windows)
    assert not agree(np.array([[1], [1000.2], [1e6]], np.float32), expected, windows)
    assert not agree(expected, expected * np.float32("inf"), windows)


def test_predictions_near_zero_agree_within_the_rounding_of_a_window_of_large_values() -> None:
    expected = np.array([[0], [0], [1e-3]], np.float32)  # as of a series of zeros with a rare demand of 5,000
    windows = np.array([[0, 0, 0], [0, 0, 1], [5000, 0, 0]], np.float32)

    assert agree(expected + np.array([[0], [0], [4e-3]], np.float32), expected, windows)
    assert not agree(expected + np.array([[0], [0], [6e-3]], np.float32), expected, windows)
    assert not agree(expected + np.array([[0], [4e-3], [0]], np.float32), expected, windows)


def test_a_version_can_be_added_by_hand(tmp_path: Path) -> None:
    add_version(copy_of_shipped(tmp_path), "lstm", 12)

    assert verify(tmp_path, "lstm", 12).card.version == 12
