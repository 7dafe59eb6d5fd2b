"""Pin files: their content, their permissions, and files that are not valid pins."""

import os
from pathlib import Path

import pytest

from artifact import ArtifactError, pin, pinned, unpin
from artifact.choice import Pin
from artifact.pins import read_pin
from tests.repository import add_version, copy_of_shipped


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    models_dir = copy_of_shipped(tmp_path)
    add_version(models_dir, "lstm", 2)
    return models_dir


def test_a_pin_is_read_back_and_gone_after_unpin(models_dir: Path) -> None:
    assert read_pin(models_dir, "lstm") is None
    pin(models_dir, "lstm", 1)
    assert read_pin(models_dir, "lstm") == Pin(1)
    assert pinned(models_dir, "lstm") == 1
    unpin(models_dir, "lstm")
    assert read_pin(models_dir, "lstm") is None


def test_a_pin_can_be_read_by_every_user_whatever_the_umask(models_dir: Path) -> None:
    before = os.umask(0o077)
    try:
        pin(models_dir, "lstm", 1)
    finally:
        os.umask(before)

    assert (models_dir / "lstm" / "pin").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("content", [b"", b"\n", b"1.0", b"v1", b"one", b"\xef\xbb\xbf1\n", b"0", b"-1", b"01", b"1e0"])
def test_a_pin_without_a_version_number_is_a_pin_with_a_problem(models_dir: Path, content: bytes) -> None:
    (models_dir / "lstm" / "pin").write_bytes(content)

    found = read_pin(models_dir, "lstm")

    assert found is not None
    assert found.version is None
    assert found.problem == "lstm/pin: holds no version number; write it with 'python -m artifact pin'"


@pytest.mark.parametrize("content", [b"1", b"1\n", b"1\r\n", b" 1 \n"])
def test_blanks_around_the_number_do_not_matter(models_dir: Path, content: bytes) -> None:
    (models_dir / "lstm" / "pin").write_bytes(content)

    assert read_pin(models_dir, "lstm") == Pin(1)


def link_to_outside(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def test_a_folder_a_pipe_or_a_link_out_in_the_place_of_a_pin_is_a_pin_with_a_problem(models_dir: Path) -> None:
    path = models_dir / "lstm" / "pin"
    for make in (Path.mkdir, os.mkfifo, link_to_outside):
        make(path)
        found = read_pin(models_dir, "lstm")
        assert found is not None
        assert found.version is None
        assert found.problem is not None
        assert found.problem.startswith("lstm/pin: ")
        path.rmdir() if path.is_dir() else path.unlink()


def test_with_keys_a_pin_must_be_signed_with_one_of_them_for_this_model_and_version(models_dir: Path) -> None:
    add_version(models_dir, "mlp", 2)
    path = models_dir / "lstm" / "pin"
    pin(models_dir, "lstm", 1, [b"old"])
    assert read_pin(models_dir, "lstm", [b"new", b"old"]) == Pin(1)
    assert read_pin(models_dir, "lstm") == Pin(1)
    signed = path.read_bytes()

    for content in (b"1\n", signed.replace(b"1", b"2", 1), b"1\n" + b"0" * 64):
        path.write_bytes(content)
        found = read_pin(models_dir, "lstm", [b"old"])
        assert found is not None
        assert "is not signed" in str(found.problem)
    path.write_bytes(signed)
    (models_dir / "mlp" / "pin").write_bytes(signed)
    other = read_pin(models_dir, "mlp", [b"old"])
    assert other is not None
    assert "is not signed" in str(other.problem)


def test_only_a_version_that_there_is_can_be_pinned(models_dir: Path) -> None:
    for name, version, message in (
        ("lstm", 99, "there is no lstm/99; there are 1, 2"),
        ("mlp", 9, "there is no mlp/9; there is 1"),
        ("other", 1, "there is no other/1; other has no version"),
        ("../lstm", 1, "cannot be the name of a model"),
    ):
        with pytest.raises(ArtifactError, match=message):
            pin(models_dir, name, version)
    with pytest.raises(ArtifactError, match="there is no model other"):
        unpin(models_dir, "other")
