"""Admission without HTTP, as a front end that is not ASGI uses it."""

import hashlib
from pathlib import Path

import pytest

from service.inference.admission import InvalidKeysFile, Keys, Places, read_key_digests
from service.inference.errors import Overloaded, Unauthorized


def test_a_place_is_free_again_when_its_work_has_ended_or_failed() -> None:
    places = Places(1)

    with places.take(), pytest.raises(Overloaded, match="1 requests are at work"), places.take():
        pass
    with pytest.raises(ValueError, match="failed"), places.take():
        raise ValueError("failed")
    with places.take():
        pass


def test_a_refusal_names_its_limit() -> None:
    with pytest.raises(Overloaded) as caught, Places(0).take():
        pass

    assert caught.value.limit == "max_concurrency"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys"
    file.write_text(f"# the first\n{hashlib.sha256(b'first').hexdigest().upper()}  # of team a\n")
    return file


def test_a_key_of_the_file_is_accepted_and_any_other_refused(keys_file: Path) -> None:
    keys = Keys(keys_file)

    keys.check("Bearer first")
    for wrong in ("Bearer second", "Bearer ", "Basic first", "first", ""):
        with pytest.raises(Unauthorized, match="Authorization: Bearer KEY"):
            keys.check(wrong)


def test_a_file_without_keys_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# none\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidKeysFile, match="has no key"):
        read_key_digests(tmp_path / "empty")
    with pytest.raises(InvalidKeysFile, match="is not text"):
        read_key_digests(tmp_path / "binary")
    with pytest.raises(InvalidKeysFile, match="No such file"):
        read_key_digests(tmp_path / "missing")
