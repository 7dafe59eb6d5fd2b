"""Models on the page: search by name, versions, warnings, and changes of the live version."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.airline import publish_airline
from tests.browser.conftest import Opener
from tests.repository import SHIPPED, add_version, change_card, copy_of_shipped
from tests.server import Server, running

pytestmark = pytest.mark.browser


def test_a_model_among_many_is_found_by_typing(opened: Opener, tmp_path: Path) -> None:
    models_dir = tmp_path / "models"
    for number in range(40):
        shutil.copytree(SHIPPED / "mlp" / "1", models_dir / f"pump-{number:02}" / "1")
        change_card(models_dir / f"pump-{number:02}" / "1", name=f"pump-{number:02}")
    with running(tmp_path / "log", models_dir=models_dir) as server:
        page = opened(server.url)
        expect(page.locator("#model")).to_have_value("pump-00")
        page.click("#model")
        expect(page.locator("#model-list li")).to_have_count(12)
        expect(page.locator("#model-hint")).to_have_text("There are more; type to find one.")
        page.keyboard.type("PUMP-3")
        expect(page.locator("#model-list li")).to_have_text([f"pump-3{number}" for number in range(10)])
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#model")).to_have_attribute("aria-activedescendant", "model-1")
        page.keyboard.press("Enter")

        expect(page.locator("#model")).to_have_value("pump-31")
        expect(page.locator("#answer .value")).to_have_count(1)
        expect(page).to_have_url(f"{server.url}/#pump-31")
        page.reload()
        expect(page.locator("#model")).to_have_value("pump-31")


def test_a_name_that_no_model_has_is_said_and_left_by_escape(airline_page: Page) -> None:
    airline_page.click("#model")
    airline_page.keyboard.type("zzz")
    expect(airline_page.locator("#model-hint")).to_have_text("No model begins like this.")
    airline_page.keyboard.press("Escape")

    expect(airline_page.locator("#model")).to_have_value("airline")


def test_another_kept_version_is_shown_and_asked(mlp_page: Page) -> None:
    mlp_page.click("text=Errors, residuals and the model card")
    expect(mlp_page.locator("#facts")).to_contain_text("seed 7")
    with mlp_page.expect_request("**/forecast/mlp?version=1"):
        mlp_page.select_option("#version", "1")

    expect(mlp_page.locator("#facts")).to_contain_text("seed 0")


def test_target_horizon_and_steps_are_named_in_words(airline_page: Page, opened: Opener, service: Server) -> None:
    expect(airline_page.locator("#description")).to_have_text(
        "Values monthly; the network (linear) sees the last 24 months and forecasts the next 12 months."
    )
    page = opened(f"{service.url}/#lstm")
    expect(page.locator("#description")).to_have_text(
        "Values in order; the network (lstm) sees the last 5 values and answers for the same row."
    )


def test_a_better_baseline_and_missing_intervals_are_said_in_words(opened: Opener, service: Server) -> None:
    page = opened(f"{service.url}/#lstm")

    expect(page.locator("#warnings")).to_contain_text("a simpler forecast was better: a straight line")
    expect(page.locator("#answer .spread")).to_have_text("this version has no intervals")


def test_why_a_version_is_not_live_is_told(opened: Opener, service: Server) -> None:
    page = opened(f"{service.url}/#lstm")
    page.click("text=Errors, residuals and the model card")

    expect(page.locator("#refused li")).to_contain_text("Version 2 is refused: lstm/2")


def test_an_open_page_shows_a_new_live_version_without_a_reload(opened: Opener, tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    with running(tmp_path / "log", "--reload-seconds", "0.2", models_dir=models_dir) as server:
        page = opened(f"{server.url}/#mlp")
        expect(page.locator("#version option").first).to_have_text("version 1 (live)")
        add_version(models_dir, "mlp", 2, seed=7)

        expect(page.locator("#status")).to_have_text("Version 2 is live now.")
        expect(page.locator("#version option")).to_have_text(["version 2 (live)", "version 1"])


def test_after_a_422_the_card_is_read_again_and_the_new_window_is_asked(opened: Opener, tmp_path: Path) -> None:
    models_dir = copy_of_shipped(tmp_path / "models")
    publish_airline(models_dir, "mlp")  # version 2: 24 values instead of one
    with running(tmp_path / "log", "--reload-seconds", "0.2", models_dir=models_dir) as server:
        page = opened(f"{server.url}/#mlp")
        page.route("**/versions", lambda route: route.abort())  # the page does not see the next change of versions
        page.fill("#data", " ".join(map(str, range(100, 130))))
        expect(page.locator("#answer .value")).to_have_count(2)
        change_card(models_dir / "mlp" / "2", schema_version=99)
        (models_dir / "mlp" / "1").rename(models_dir / "mlp" / "3")
        change_card(models_dir / "mlp" / "3", version=3)
        page.wait_for_timeout(1500)
        page.focus("#end")
        page.keyboard.press("ArrowLeft")

        expect(page.locator("#status")).to_have_text("Version 3 is live now.")
        expect(page.locator("#answer .value")).to_have_text(re.compile(r"^2\d\d\."))
        expect(page.locator("#problem")).to_have_text("")
