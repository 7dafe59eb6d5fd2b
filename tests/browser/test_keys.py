"""API keys on the page: it asks for the key, reports a wrong one, and keeps it out of the URL."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Opener
from tests.server import Server, running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def locked(airline_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("locked")
    (folder / "keys").write_text(hashlib.sha256(b"secret").hexdigest())
    with running(folder / "log", "--api-keys-file", folder / "keys", models_dir=airline_models) as server:
        yield server


def test_the_page_asks_for_the_key_and_says_when_it_is_wrong(opened: Opener, locked: Server) -> None:
    page = opened(locked.url)
    expect(page.locator("dialog")).to_be_visible()
    expect(page.locator("#key-problem")).to_have_text("")

    page.fill("#key-value", "guess")
    page.keyboard.press("Enter")
    expect(page.locator("#key-problem")).to_have_text("The service does not know this key.")
    assert violations(page) == []
    page.fill("#key-value", "secret")
    page.click("text=Continue")

    expect(page.locator("#answer .value")).to_have_count(2)
    expect(page.locator("dialog")).to_be_hidden()
    assert "secret" not in page.url


def test_the_key_is_kept_until_the_tab_is_closed_and_never_shown(opened: Opener, locked: Server) -> None:
    page = opened(locked.url)
    page.fill("#key-value", "secret")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .value")).to_have_count(2)

    page.reload()

    expect(page.locator("#answer .value")).to_have_count(2)
    page.click("text=Ask from a program")
    expect(page.locator("#curl")).to_contain_text('"Authorization: Bearer $LAGCAST_API_KEY"')
    expect(page.locator("#python")).to_contain_text("os.environ['LAGCAST_API_KEY']")
    assert "secret" not in page.content()
    assert page.evaluate("Object.values(localStorage).length") == 0
    assert page.context.cookies() == []


def test_the_documents_ask_for_the_key_too(opened: Opener, locked: Server) -> None:
    page = opened(f"{locked.url}/docs")
    page.fill("#key-value", "secret")
    page.keyboard.press("Enter")

    expect(page.locator("#swagger-ui .title")).to_contain_text("lagcast")
    expect(page.locator("#swagger-ui")).to_contain_text("/forecast/airline")


def test_a_key_that_is_no_longer_known_is_asked_for_again(opened: Opener, airline_models: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(hashlib.sha256(b"old").hexdigest())
    with running(tmp_path / "log", "--api-keys-file", keys, models_dir=airline_models) as server:
        page = opened(f"{server.url}/#mlp")
        page.fill("#key-value", "old")
        page.keyboard.press("Enter")
        expect(page.locator("#answer .value")).to_have_count(1)
        keys.write_text(hashlib.sha256(b"new").hexdigest())
        expect(page.locator("#key-problem")).to_have_text("The service does not know this key.")
        page.fill("#key-value", "new")
        page.keyboard.press("Enter")
        page.fill("#data", "5")

        expect(page.locator("#answer .value")).to_have_text(re.compile(r"7\.(8|79999)"))
