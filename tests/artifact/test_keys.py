"""Card keys: the first one signs, all of them are accepted."""

from pathlib import Path

import pytest

from artifact import ArtifactError, read_key, read_keys
from artifact.keys import is_signed, sign


def test_the_first_key_of_a_file_signs_and_each_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("new\n\n  old  \n")

    keys = read_keys(file)

    assert read_key(file) == keys[0] == b"new"
    assert is_signed(b"card", sign(b"card", b"new"), keys)
    assert is_signed(b"card", sign(b"card", b"old") + b"\n", keys)
    assert not is_signed(b"card", sign(b"card", b"other"), keys)


def test_a_key_of_random_bytes_with_a_line_break_still_verifies_what_it_signed(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"\x01\n\x02")

    assert is_signed(b"card", sign(b"card", b"\x01\n\x02"), read_keys(file))


def test_without_a_file_there_is_no_key_and_a_file_without_one_is_an_error(tmp_path: Path) -> None:
    assert read_keys(None) == ()
    assert read_key(None) is None
    (tmp_path / "empty").write_text(" \n")
    for name, reason in (("empty", "holds no key"), ("none", "No such file")):
        with pytest.raises(ArtifactError, match=reason):
            read_keys(tmp_path / name)
