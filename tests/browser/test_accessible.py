"""Accessibility of the page: axe-core, keyboard only, both themes, 320 to 1920 px, text sizes in charts."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Opener
from tests.server import Server

pytestmark = pytest.mark.browser

WIDTHS = (320, 768, 1280, 1920)
THEMES = {"light": "rgb(246, 247, 249)", "dark": "rgb(18, 22, 26)"}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_width_in_both_themes_and_axe_finds_nothing(
    opened: Opener, service: Server, width: int, theme: str
) -> None:
    page = opened(f"{service.url}/#airline", width=width, color_scheme=theme)
    expect(page.locator("#answer .value")).to_have_count(2)
    screenshot(page, f"{width}-{theme}")
    assert violations(page) == []
    page.focus("#end")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#comparison")).to_contain_text("Compared")
    page.click("text=Ask from a program")
    page.click("text=Errors, residuals and the model card")
    screenshot(page, f"{width}-{theme}-open")

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == THEMES[theme]


def screenshot(page: Page, name: str) -> None:
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_warnings_errors_lists_and_choices(opened: Opener, service: Server, theme: str) -> None:
    page = opened(f"{service.url}/#airline", color_scheme=theme)
    page.fill(
        "#data", "shop,day,a,b\n" + "\n".join(f"s{k // 30},2024-01-{1 + k % 30:02},{k},{k * k}" for k in range(90))
    )
    expect(page.locator("#warnings li")).not_to_have_count(0)
    expect(page.locator("#choices")).to_be_visible()
    assert violations(page) == []
    page.fill("#data", "x")
    expect(page.locator("#problem")).to_contain_text("is not a number")
    page.click("#model")
    expect(page.locator("#model-list li")).to_have_count(3)

    assert violations(page) == []


def test_the_page_is_used_by_keyboard_alone_and_shows_where_it_is(airline_page: Page) -> None:
    stops = []
    for _ in range(11):
        airline_page.keyboard.press("Tab")
        stops.append(airline_page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert airline_page.evaluate(
            """() => { const at = document.activeElement; const shown = at.id === "file" ? at.parentElement : at;
            return getComputedStyle(shown).outlineStyle !== "none"; }"""
        ), stops[-1]

    assert stops[:6] == ["API", "model", "version", "end", "data", "file"]
    assert stops[7:10] == ["copy-table", "download", "Ask from a program"]


def test_a_screen_reader_is_told_the_chart_the_forecast_and_problems(airline_page: Page) -> None:
    label = airline_page.locator("#chart").get_attribute("aria-label")

    assert label is not None
    assert label.startswith("Chart of 144 values of passengers, and the forecast: 447 at Jan 1961, to 505 at Dec 1961.")
    expect(airline_page.get_by_role("table", name="Forecast")).to_be_visible()
    expect(airline_page.get_by_role("combobox", name="Model")).to_be_visible()
    expect(airline_page.get_by_role("slider", name="Forecast from")).to_have_attribute("aria-valuetext", "Dec 1960")
    airline_page.fill("#data", "x")
    expect(airline_page.get_by_role("alert").first).to_contain_text("is not a number")
    assert airline_page.get_attribute("#data", "aria-invalid") == "true"


def test_text_in_the_chart_keeps_its_size_at_every_width(airline_page: Page) -> None:
    for width in WIDTHS:
        airline_page.set_viewport_size({"width": width, "height": 900})
        airline_page.wait_for_timeout(300)
        canvas = airline_page.locator("#chart canvas")
        shown, drawn = canvas.evaluate("it => [it.getBoundingClientRect().width, it.width / devicePixelRatio]")

        assert shown == pytest.approx(drawn, abs=1)  # a scaled canvas would scale its text, too
        assert shown <= width


def test_the_chart_follows_a_change_of_the_theme(airline_page: Page) -> None:
    airline_page.emulate_media(color_scheme="dark")
    # Pixels of the observed line in the colour of the dark theme.
    airline_page.wait_for_function(
        """() => { const canvas = document.querySelector('#chart canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let found = 0; for (let k = 0; k < data.length; k += 4)
          found += data[k] === 232 && data[k + 1] === 234 && data[k + 2] === 237 && data[k + 3] === 255;
        return found > 500; }"""
    )
