"""Fixtures: Chromium, services, and pages that fail on a request to another host, a CSP violation or an error."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.repository import add_version
from tests.server import Server, running

# Log lines of the browser about error responses that a test provokes.
EXPECTED = re.compile(
    r"Failed to load resource: (the server responded with a status of (401|422|503)|net::ERR_CONNECTION_REFUSED)"
)
expect.set_options(timeout=30_000)  # generous for a slow machine: the tests do not measure speed
Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "Chromium is not installed (Debian: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(airline_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The shipped models and the airline passengers; a second version of the MLP, and a refused one of the LSTM."""
    models_dir = tmp_path_factory.mktemp("page") / "models"
    shutil.copytree(airline_models, models_dir)
    add_version(models_dir, "mlp", 2, seed=7)
    add_version(models_dir, "lstm", 2, window=6)
    with running(tmp_path_factory.mktemp("page") / "log", models_dir=models_dir) as server:
        yield server


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opener]:
    """A function that opens a page: `opened(url, width=…, color_scheme=…)`."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_page(url: str, width: int = 1280, **options: Any) -> Page:
            context = browser.new_context(viewport={"width": width, "height": 900}, **options)
            page = stack.enter_context(context).new_page()
            page.set_default_timeout(60_000)
            origin = url.split("/", 3)[:3]
            page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "request",
                lambda asked: None if asked.url.split("/", 3)[:3] == origin else complaints.append(asked.url),
            )
            page.goto(url)
            return page

        yield open_page
    assert [text for text in complaints if not text.startswith(("data:", "blob:"))] == []


def is_complaint(said: Any) -> bool:
    return said.type in {"error", "warning"} and EXPECTED.match(said.text) is None


@pytest.fixture
def airline_page(opened: Opener, service: Server) -> Page:
    """The page with the forecast of the airline passengers."""
    page = opened(f"{service.url}/#airline")
    expect(page.locator("#answer .value")).to_have_count(2)
    return page


@pytest.fixture
def mlp_page(opened: Opener, service: Server) -> Page:
    """The page with the MLP, which takes one value."""
    page = opened(f"{service.url}/#mlp")
    expect(page.locator("#answer .value")).to_have_count(1)
    return page
