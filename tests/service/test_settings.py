"""Settings from the environment and the command line, and the errors for wrong ones."""

import re

import pytest

from service.settings import InvalidSettings, Settings, read_settings


def read(*arguments: str) -> Settings:
    return read_settings(arguments, "1.2.3")


@pytest.mark.parametrize("text", ["http://a,https://b", " http://a , https://b,", '["http://a","https://b"]'])
@pytest.mark.parametrize("way", ["environment", "command line"])
def test_a_list_is_items_with_commas_or_json(text: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "environment":
        monkeypatch.setenv("LAGCAST_CORS_ORIGINS", text)
    arguments = [] if way == "environment" else ["--cors-origins", text]

    assert read(*arguments).cors_origins == ["http://a", "https://b"]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_variable_that_is_set_but_empty_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LAGCAST_{name.upper()}", "")

    assert read() == Settings()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("LAGCAST_API_KEY_FILE", "LAGCAST_API_KEYS_FILE"),
        ("LAGCAST_PROT", "LAGCAST_PORT"),
        ("lagcast_workrs", "LAGCAST_WORKERS"),
    ],
)
@pytest.mark.parametrize("value", ["x", ""])
def test_an_unknown_variable_is_told_with_the_nearest_name(
    name: str, near: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSettings, match=f"{name}: there is no such setting; the nearest is {near}$"):
        read()


def test_wrong_values_are_named_by_where_they_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAGCAST_WORKERS", "many")
    monkeypatch.setenv("LAGCAST_PORT", "70000")

    with pytest.raises(InvalidSettings) as caught:
        read("--port", "http", "--cors-origins", "[http")

    message = str(caught.value)
    assert "--port: Input should be a valid integer" in message
    assert "LAGCAST_WORKERS: Input should be a valid integer" in message
    assert "--cors-origins: is neither a JSON list nor items separated by commas" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("arguments", "logged"), [([], False), (["--access-log"], True), (["--access-log", "false"], False)]
)
def test_a_switch_needs_no_argument(arguments: list[str], logged: bool) -> None:  # noqa: FBT001
    assert read(*arguments).access_log is logged


def test_help_fits_80_columns_and_shows_no_type_of_python(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        read("--help")

    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert not re.search(r"null|None|Path|factory", shown)
    assert re.search(r"--access-log +log every request", shown)


def test_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read("--version")

    assert capsys.readouterr().out == "lagcast 1.2.3\n"
