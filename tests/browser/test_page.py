"""`make test-browser`: the page as people use it, in headless Chromium."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.repository import add_version, copy_of_shipped
from tests.server import Server, running

pytestmark = pytest.mark.browser

SIZES = {"phone": (360, 740), "desk": (1280, 900)}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two versions of the MLP, the second with other metrics; one of the LSTM, and one that is refused."""
    models_dir = copy_of_shipped(tmp_path_factory.mktemp("page") / "models")
    add_version(models_dir, "mlp", 2, seed=7)
    add_version(models_dir, "lstm", 2, window=6)
    with running(tmp_path_factory.mktemp("page") / "log", models_dir=models_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "Chromium is not installed (Debian: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, service: Server) -> Iterator[Page]:
    """The page, which must neither ask another host nor break its policy nor log an error."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if not is_own(asked.url, service) else None)
        page.goto(service.url)
        expect(page.locator("#mlp h2")).to_have_text("mlp")
        yield page
        assert [text for text in complaints if "422" not in text] == []


def is_own(url: str, service: Server) -> bool:
    return url.startswith((service.url + "/", "data:"))


def test_a_window_asks_both_models_and_its_point_is_in_both_pictures(page: Page) -> None:
    page.fill("#values", "1, 2, 3, 4, 5")
    page.click("text=Predict")

    expect(page.locator("#lstm output")).to_have_text(re.compile(r"7\.(8|79999)"))
    expect(page.locator("#mlp output")).to_have_text(re.compile(r"7\.(8|79999)"))
    expect(page.locator(".request")).to_have_count(2)
    expect(page.locator(".badge:visible")).to_have_count(0)
    assert page.locator("#lstm .point").count() == 100


def test_a_single_value_asks_the_mlp_and_the_lstm_says_what_it_needs(page: Page) -> None:
    page.fill("#values", "5")
    page.keyboard.press("Enter")

    expect(page.locator("#mlp output")).to_have_text(re.compile(r"7\.(8|79999)"))
    expect(page.locator("#lstm .problem")).to_have_text("needs 5 values")
    expect(page.locator("#lstm output")).to_have_text("-")


def test_more_values_than_a_window_are_cut_to_the_last_ones(page: Page) -> None:
    page.fill("#values", "100, 50, 1, 2, 3, 4, 5")
    page.keyboard.press("Enter")

    expect(page.locator("#lstm output")).to_have_text("7.8000073")


def test_a_comma_too_many_is_no_number(page: Page) -> None:
    page.fill("#values", " 1, 2, 3, 4, 5, ")
    page.keyboard.press("Enter")

    expect(page.locator("#lstm output")).to_have_text("7.8000073")


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(page: Page) -> None:
    page.route("**/predict/mlp", late_if_50)
    for value, shown in (("50", "-"), ("5", "7.7999988")):
        page.fill("#values", value)
        page.keyboard.press("Enter")
        expect(page.locator("#mlp output")).to_have_text(shown)
    page.wait_for_timeout(800)

    expect(page.locator("#mlp output")).to_have_text("7.7999988")


def late_if_50(route: Route) -> None:
    if "50" in (route.request.post_data or ""):
        route.request.frame.page.wait_for_timeout(600)
    route.continue_()


def test_an_open_page_follows_a_newer_live_version(browser: Browser, tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    with (
        running(tmp_path / "log", "--reload-seconds", "0.2", models_dir=models_dir) as server,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("#mlp select")).to_contain_text("1 (live)")
        add_version(models_dir, "mlp", 2, seed=7)
        while httpx.get(f"{server.url}/health/ready").json()["models"]["mlp"] != 2:
            page.wait_for_timeout(100)
        page.fill("#values", "5")
        page.keyboard.press("Enter")

        expect(page.locator("#mlp select")).to_contain_text("2 (live)")
        expect(page.locator("#mlp dl")).to_contain_text("seed 7")
        expect(page.locator("#mlp output")).to_have_text("7.7999988")


def test_what_lies_outside_the_trained_range_is_marked(page: Page) -> None:
    page.fill("#values", "996 997 998 999 1000")
    page.keyboard.press("Enter")

    expect(page.locator("#lstm .badge")).to_be_visible()
    expect(page.locator("#mlp .badge")).to_be_visible()
    expect(page.locator("#lstm output")).to_have_text(re.compile(r"177\."))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("1, 2, x, 4, 5", "These are not all numbers; write them like 1, 2.5, -3e2."),
        ("", "At least one number is needed."),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(page: Page, values: str, words: str) -> None:
    page.fill("#values", values)
    page.keyboard.press("Enter")

    expect(page.locator("#problem")).to_have_text(words)
    expect(page.locator("#mlp output")).to_have_text("-")


def test_what_the_service_refuses_is_said_in_its_words(page: Page) -> None:
    page.fill("#values", "1e39")
    page.keyboard.press("Enter")

    expect(page.locator("#mlp .problem")).to_contain_text("value: Input should be less than")


def test_another_kept_version_is_shown_and_asked(page: Page) -> None:
    page.fill("#values", "5")
    page.keyboard.press("Enter")
    expect(page.locator("#mlp dl")).to_contain_text("seed 7")
    with page.expect_request("**/predict/mlp?version=1"):
        page.select_option("#mlp select", "1")

    expect(page.locator("#mlp dl")).to_contain_text("seed 0")
    expect(page.locator("#mlp output")).to_have_text(re.compile(r"7\.(8|79999)"))


def test_cards_tell_metrics_beside_baselines_and_why_a_version_is_not_live(page: Page) -> None:
    expect(page.locator("#lstm tbody tr")).to_have_count(3)
    expect(page.locator("#lstm .verdict")).to_have_text("It loses to linear.")
    expect(page.locator("#lstm .refused li")).to_contain_text("version 2 is not live: lstm/2")


def test_the_page_is_used_by_keyboard_alone(page: Page) -> None:
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))

    stops = [stop for stop in seen if stop != "DIV"]  # a table that is wider than its place can be scrolled
    assert stops[:6] == ["A", "A", "values", "BUTTON", "SELECT", "SELECT"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_screen_in_both_themes(
    browser: Browser, service: Server, size: str, theme: Literal["light", "dark"]
) -> None:
    width, height = SIZES[size]
    with browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme) as context:
        page = context.new_page()
        page.goto(service.url)
        page.fill("#values", "996 997 998 999 1000")
        page.keyboard.press("Enter")
        expect(page.locator("#mlp .badge")).to_be_visible()
        if "SCREENSHOTS" in os.environ:
            page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"{size}-{theme}.png", full_page=True)
        back = page.evaluate("getComputedStyle(document.body).backgroundColor")

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert back == ("rgb(251, 251, 252)" if theme == "light" else "rgb(20, 23, 26)")


def test_without_a_service_the_page_says_so(browser: Browser, service: Server) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/models", lambda route: route.abort())
        page.goto(service.url)

        expect(page.locator("#problem")).to_have_text("The service does not answer.")
