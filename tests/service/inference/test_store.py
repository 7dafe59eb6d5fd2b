"""The store: what is read is what was asked for, and a lost folder is made again."""

import os
import shutil
from pathlib import Path

import pytest

from artifact.repository import Content, read_version
from service.inference.store import Store
from tests.repository import SHIPPED


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_content_that_is_saved_while_another_is_read_does_not_take_its_place(store: Store) -> None:
    lstm, mlp = (read_version(SHIPPED, name, 1) for name in ("lstm", "mlp"))

    class Overtaken(str):
        """A checksum; another content is saved at the moment of its comparison, as by the thread that decides."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            store.save(mlp)
            return str(self) == other

    store.save(Content(lstm.files, Overtaken(lstm.sha256)))

    assert store.load(lstm.sha256).files == lstm.files


def test_a_content_can_be_saved_after_a_cleaner_has_removed_the_folder(store: Store, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "tested")
    content = read_version(SHIPPED, "mlp", 1)

    store.save(content)

    assert Store(tmp_path).load(content.sha256).files == content.files


def test_an_error_about_a_lost_content_names_no_folder_of_the_machine(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="0" * 12) as raised:
        store.load("0" * 64)

    assert str(tmp_path) not in str(raised.value)


def test_the_file_that_was_prepared_by_a_process_that_has_ended_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(os, "getpid", lambda: 1)
        Store(tmp_path).prepare()
    content = read_version(SHIPPED, "mlp", 1)

    Store(tmp_path).save(content)

    assert [file.name for file in (tmp_path / "tested").iterdir()] == [content.sha256]
