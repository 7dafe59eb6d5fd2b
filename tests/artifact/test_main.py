"""`python -m artifact`: list, pin, unpin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from artifact import LITERT_FILE, pinned, publish, verify
from artifact.__main__ import main
from artifact.listing import COLUMNS
from artifact.version import VERSION
from tests.artifact.test_repository import draft
from tests.repository import CHECKOUT, add_version, change_card, copy_of_shipped


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    models_dir = copy_of_shipped(tmp_path)
    for version in (2, 3, 4):
        add_version(models_dir, "lstm", version)
    os.truncate(models_dir / "lstm" / "4" / LITERT_FILE, 10)
    return models_dir


def test_list_shows_every_version_which_is_live_and_why_one_is_not(
    models_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = (models_dir / "lstm" / "1" / LITERT_FILE).stat().st_size

    assert main(["--models-dir", str(models_dir), "list"]) == 0

    head, *lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert [cell.strip() for cell in head if cell.strip()] == list(COLUMNS)
    data = ["lstm", "5", "1", "the article's series, 100 rows", "0.02326", "1.8", "4.316e-06"]
    assert [[line[0], *line[2:]] for line in cells[:2]] == [["lstm/1", *data], ["lstm/2", *data]]
    assert cells[2][:2] == ["lstm/3", "live"]
    assert cells[3] == ["lstm/4", "refused", f"lstm/4/model.tflite: has 10 bytes, its card says {size}"]
    assert cells[4][:2] == ["mlp/1", "live"]


def test_the_self_test_finds_what_the_checksums_do_not(models_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = [{"window": [1, 2, 3, 4, 5], "prediction": 9}]
    change_card(models_dir / "lstm" / "3", golden=golden)
    listing = ["list", "--models-dir", str(models_dir)]
    main(listing)
    assert "lstm/3  live" in capsys.readouterr().out

    main([*listing, "--self-test"])

    shown = capsys.readouterr().out
    assert "lstm/2  live" in shown
    assert "lstm: the network does not repeat the golden samples on its card" in shown
    assert main(["pin", "lstm", "3", "--models-dir", str(models_dir)]) == 1
    assert "lstm/3 is not pinned, it is refused: lstm: the network does not repeat" in capsys.readouterr().err
    assert pinned(models_dir, "lstm") is None


def test_a_pin_that_cannot_be_obeyed_is_listed_with_its_reason_and_nothing_else_as_live(
    models_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models_dir / "lstm" / "pin").write_text("v1")

    main(["list", "--models-dir", str(models_dir)])

    shown = capsys.readouterr().out
    assert "lstm    frozen" in shown
    assert "the pin is not obeyed: lstm/pin: holds no version number" in shown
    assert shown.count("live  ") == 1, "that of the other model"


@pytest.mark.parametrize("kind", ["absent", "empty", "a file"])
def test_a_repository_without_models_is_an_error_that_says_which(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "models"
    if kind == "empty":
        folder.mkdir()
    elif kind == "a file":
        folder.touch()

    assert main(["list", "--models-dir", str(folder)]) == 1

    absent = (
        f"No such file or directory; start in the folder of the checkout, not in {Path.cwd()}, or name another "
        "repository with --models-dir"
    )
    reason = {"absent": absent, "empty": "no model is published here", "a file": "Not a directory"}
    assert capsys.readouterr().err == f"artifact: {folder}: {reason[kind]}\n"


def test_pin_and_unpin_move_what_is_live(models_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--models-dir", str(models_dir), "pin", "lstm", "2"]) == 0
    assert pinned(models_dir, "lstm") == 2
    main(["--models-dir", str(models_dir), "list"])
    assert "lstm/2  live, pinned" in capsys.readouterr().out

    assert main(["--models-dir", str(models_dir), "unpin", "lstm"]) == 0
    assert pinned(models_dir, "lstm") is None
    assert main(["--models-dir", str(models_dir), "unpin", "lstm"]) == 0


@pytest.mark.parametrize(("version", "reason"), [("9", "there is no lstm/9; there are 1, 2"), ("4", "has 10 bytes")])
def test_a_version_that_is_not_good_cannot_be_pinned(
    models_dir: Path, version: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--models-dir", str(models_dir), "pin", "lstm", version]) == 1

    assert reason in capsys.readouterr().err
    assert pinned(models_dir, "lstm") is None


def test_the_environment_names_the_repository(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAGCAST_MODELS_DIR", str(models_dir))

    assert main(["list"]) == 0

    assert "lstm/3  live" in capsys.readouterr().out


def test_with_a_key_what_is_not_signed_is_not_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_text("secret\n")
    monkeypatch.setenv("LAGCAST_CARD_KEY_FILE", str(tmp_path / "key"))
    files = verify(copy_of_shipped(tmp_path / "m"), "lstm", 1).files
    publish(tmp_path / "m", draft(), files, key=b"secret")

    assert main(["--models-dir", str(tmp_path / "m"), "list"]) == 0

    out = capsys.readouterr().out.splitlines()
    assert out[1].split("  ")[0] == "lstm/1"
    assert out[1].endswith("lstm/1/card.hmac: No such file or directory")
    assert out[2].startswith("lstm/2  live")


def test_a_key_file_that_is_missing_or_empty_is_an_error(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()

    for file, reason in (("none", "No such file"), ("empty", "holds no key")):
        assert main(["--models-dir", str(models_dir), "--card-key-file", str(tmp_path / file), "list"]) == 1
        assert reason in capsys.readouterr().err


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    shown = capsys.readouterr().out
    assert all(word in shown for word in ("list", "pin", "unpin", "LAGCAST_MODELS_DIR"))


def test_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])

    assert capsys.readouterr().out == f"lagcast {VERSION}\n"


def list_into(stdout: int, models_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artifact", "list", "--models-dir", str(models_dir)]
    return subprocess.run(command, cwd=CHECKOUT, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


def test_a_reader_of_the_list_that_has_gone_ends_it_quietly(models_dir: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = list_into(writer, models_dir)
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_device_for_the_list_is_told_in_one_line(models_dir: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = list_into(full.fileno(), models_dir)

    assert (done.returncode, done.stderr) == (1, "artifact: the list cannot be printed: No space left on device\n")
