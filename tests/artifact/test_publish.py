"""Publishing: version numbers and file permissions."""

import os
import shutil
from pathlib import Path

import pytest

from artifact import ArtifactError, publish, versions
from artifact.repository import LAST_VERSION, MAX_CARD_BYTES
from tests.artifact.test_repository import FILES, draft


def test_the_number_of_a_deleted_version_is_not_used_again(tmp_path: Path) -> None:
    for _ in range(2):
        publish(tmp_path, draft(), FILES)
    shutil.rmtree(tmp_path / "lstm" / "2")
    assert publish(tmp_path, draft(), FILES).version == 3

    shutil.rmtree(tmp_path / "lstm")

    assert publish(tmp_path, draft(), FILES).version == 4


def test_a_repository_that_was_published_without_numbers_goes_on_after_its_highest(tmp_path: Path) -> None:
    (tmp_path / "lstm" / "7").mkdir(parents=True)

    assert publish(tmp_path, draft(), FILES).version == 8


def test_after_the_last_number_a_publish_says_how_to_go_on(tmp_path: Path) -> None:
    publish(tmp_path, draft(), FILES)
    mistake = tmp_path / "lstm" / str(LAST_VERSION)
    mistake.mkdir()

    with pytest.raises(ArtifactError, match="no version number is left after 999999999; if lstm"):
        publish(tmp_path, draft(), FILES)

    mistake.rmdir()
    assert publish(tmp_path, draft(), FILES).version == 2
    assert versions(tmp_path, "lstm") == [1, 2]


def test_what_is_published_can_be_read_by_every_user_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        publish(tmp_path / "models", draft(), FILES)
    finally:
        os.umask(before)

    for path in [tmp_path / "models", *(tmp_path / "models").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_a_card_that_no_service_would_read_is_not_published(tmp_path: Path) -> None:
    large = draft().model_copy(update={"config": {"text": "x" * MAX_CARD_BYTES}})

    with pytest.raises(ArtifactError, match="the card has"):
        publish(tmp_path, large, FILES)

    assert list((tmp_path / "lstm").iterdir()) == []
