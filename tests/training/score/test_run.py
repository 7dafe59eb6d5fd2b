"""`python -m training score` against a running service."""

from pathlib import Path

import httpx
import pytest

import training.score.run
from tests.repository import CHECKOUT
from tests.server import Server, free_port, running
from training.__main__ import main

AIRLINE = str(CHECKOUT / "tests" / "data" / "airline.csv")


def scored(server: Server, *flags: str) -> int:
    return main(["score", "--data", AIRLINE, "--url", server.url, *flags])


def actuals(server: Server) -> int:
    count: int = httpx.get(f"{server.url}/score/airline").json()["scores"][0]["actuals"]
    return count


def test_the_newest_values_are_counted_once_for_each_step_and_the_errors_are_printed(
    airline_server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = actuals(airline_server)

    whole = scored(airline_server, "--model", "airline", "--last", "24"), capsys.readouterr().out
    monkeypatch.setattr(training.score.run, "NUMBERS_AT_ONCE", 200)
    parts = scored(airline_server, "--model", "airline", "--last", "24"), capsys.readouterr().out

    assert whole == parts
    assert whole[0] == 0
    assert "airline: 288 forecasts of actual values" in whole[1]
    assert "1 live" in whole[1]
    assert actuals(airline_server) == before + 2 * 24 * 12


def test_a_model_of_one_value_is_sent_values(airline_server: Server, tmp_path: Path) -> None:
    path = tmp_path / "xy.csv"
    path.write_text("x,y\n" + "\n".join(f"{x},{1.8 * x - 1.2:.6f}" for x in range(4, 30)))

    code = main(
        ["score", "--data", str(path), "--column", "x", "--target", "y", "--model", "mlp", "--url", airline_server.url]
    )

    (found,) = httpx.get(f"{airline_server.url}/score/mlp").json()["scores"]
    assert code == 0
    assert (found["actuals"], found["mae"] < 0.01) == (1, True)


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--model", "nobody"], 1, "404: there is no such model"),
        (["--model", "airline", "--column", "sold"], 2, "sold"),
        (["--model", "airline", "--window", "3"], 2, "those of the model's card"),
        (["--model", "airline", "--last", "0"], 2, "--last"),
        (["--model", "airline", "--api-key-file", "/nowhere/key"], 1, "/nowhere/key"),
        (["--model", "airline", "--url", "ftp://x"], 2, "--url"),
    ],
)
def test_what_is_wrong_is_told(
    airline_server: Server, flags: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored(airline_server, *flags) == code
    assert words in capsys.readouterr().err


def test_a_service_that_is_away_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    assert main(["score", "--data", AIRLINE, "--model", "airline", "--url", url]) == 1
    assert f"{url} does not answer" in capsys.readouterr().err


def test_a_table_that_is_too_short_is_told(
    airline_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.csv"
    path.write_text("month,passengers\n" + "\n".join(f"1949-{month:02}-01,{month}" for month in range(1, 13)))

    code = main(["score", "--data", str(path), "--model", "airline", "--url", airline_server.url])

    assert code == 2
    assert "no series has the 25 values that a window and a step need" in capsys.readouterr().err


def test_the_key_of_a_service_with_keys_is_sent(airline_models: Path, tmp_path: Path) -> None:
    from hashlib import sha256

    (tmp_path / "keys").write_text(sha256(b"secret").hexdigest() + "\n")
    (tmp_path / "key").write_text("secret\n")
    with running(tmp_path / "log", "--api-keys-file", tmp_path / "keys", models_dir=airline_models) as server:
        assert scored(server, "--model", "airline", "--api-key-file", str(tmp_path / "key")) == 0
        assert scored(server, "--model", "airline") == 1
