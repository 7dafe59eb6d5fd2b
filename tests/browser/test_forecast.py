"""Forecast on the page: the chart, the comparison with actual values, and the export as a table and as code."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from artifact import verify
from tests.browser.conftest import Opener
from tests.repository import AIRLINE
from tests.server import Server

pytestmark = pytest.mark.browser

Points = list[dict[str, float | None]]


def answer_of(service: Server, airline_models: Path, end: int) -> dict[str, object]:
    tail = verify(airline_models, "airline", 1).card.tail
    assert tail is not None
    assert tail.times is not None
    question = {"window": tail.values[end - 24 : end], "levels": [80, 95], "time": tail.times[end - 1]}
    found: dict[str, object] = httpx.post(f"{service.url}/forecast/airline", json=question).json()
    return found


def table_of(page: Page) -> list[dict[str, str]]:
    """The downloaded table."""
    with page.expect_download() as found:
        page.click("text=Download as CSV")
    assert found.value.suggested_filename == "airline-forecast.csv"
    return list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text())))


def test_without_input_the_page_draws_the_series_and_its_forecast_with_both_bands(
    airline_page: Page, service: Server, airline_models: Path
) -> None:
    expect(airline_page.locator("h1")).to_have_text("Passengers, the next 12 months")
    expect(airline_page.locator("#answer .when")).to_have_text(["Jan 1961", "Dec 1961"])
    expect(airline_page.locator("#legend li:visible")).to_have_text(
        ["observed", "forecast", "80 % interval", "95 % interval", "held-out forecasts, one step ahead"]
    )
    expected = answer_of(service, airline_models, 144)

    rows = table_of(airline_page)

    assert [row["time"] for row in rows] == expected["timestamps"]
    assert [float(row["forecast"]) for row in rows] == expected["forecast"]
    for level in ("80", "95"):
        ends = expected["intervals"][level]  # type: ignore[index]  # it is JSON
        assert [float(row[f"lower_{level}"]) for row in rows] == ends["lower"]
        assert [float(row[f"upper_{level}"]) for row in rows] == ends["upper"]


def test_the_chart_has_pixels_of_the_series_the_forecast_and_the_bands(airline_page: Page) -> None:
    colours = airline_page.evaluate(
        """() => { const canvas = document.querySelector('#chart canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; const counts = {};
        for (let k = 0; k < data.length; k += 4) if (data[k + 3] > 0) {
          const key = [data[k], data[k + 1], data[k + 2], data[k + 3]].join(); counts[key] = (counts[key] ?? 0) + 1; }
        return counts; }"""
    )

    assert colours["26,32,39,255"] > 500  # observed
    assert colours["11,92,173,255"] > 300  # forecast
    assert sum(count for colour, count in colours.items() if colour.endswith((",28", ",56", ",77"))) > 1000  # bands


def test_dragging_the_end_back_by_keyboard_compares_with_what_really_came(
    airline_page: Page, service: Server, airline_models: Path
) -> None:
    airline_page.focus("#end")
    for _ in range(12):
        airline_page.keyboard.press("ArrowLeft")

    expect(airline_page.locator("#end-text")).to_have_text("Dec 1959")
    expect(airline_page.locator("#answer .when")).to_have_text(["Jan 1960", "Dec 1960"])
    expect(airline_page.locator("#comparison")).to_contain_text("of 12 inside the 80 % interval")
    expect(airline_page.locator("#comparison")).to_contain_text("has seen these values in training")
    rows = table_of(airline_page)
    expected = answer_of(service, airline_models, 132)
    assert [float(row["forecast"]) for row in rows] == expected["forecast"]
    assert [float(row["actual"]) for row in rows][:3] == [417, 391, 419]


def test_dragging_over_the_chart_moves_the_end_too(airline_page: Page) -> None:
    box = airline_page.locator("#chart .u-over").bounding_box()
    assert box is not None
    airline_page.mouse.move(box["x"] + box["width"] * 0.85, box["y"] + 50)
    airline_page.mouse.down()
    airline_page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50, steps=5)
    airline_page.mouse.up()

    expect(airline_page.locator("#end-text")).to_contain_text("1959")
    expect(airline_page.locator("#comparison")).to_contain_text("Compared with what really came")


def test_what_the_pointer_is_over_is_said_in_numbers(airline_page: Page) -> None:
    box = airline_page.locator("#chart .u-over").bounding_box()
    assert box is not None
    airline_page.mouse.move(box["x"] + box["width"] * 0.975, box["y"] + 50)

    expect(airline_page.locator("#point")).to_have_text(
        re.compile(r"^(Nov|Dec) 1961 · forecast \d{3} · 80 % \d{3} to \d{3}$")
    )


def test_the_table_is_copied_with_all_digits(airline_page: Page) -> None:
    airline_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    airline_page.click("#copy-table")
    expect(airline_page.locator("#copy-table")).to_have_text("Copied")

    copied = airline_page.evaluate("navigator.clipboard.readText()").splitlines()

    assert copied[0].split("\t") == ["time", "forecast", "lower_80", "upper_80", "lower_95", "upper_95"]
    assert len(copied) == 13


@pytest.mark.parametrize("kind", ["curl", "python"])
def test_the_request_is_copied_as_a_command_and_as_a_program_that_work(
    airline_page: Page, service: Server, airline_models: Path, kind: str
) -> None:
    airline_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    airline_page.click("text=Ask from a program")
    airline_page.click(f"#copy-{kind}")
    text = airline_page.evaluate("navigator.clipboard.readText()")
    command = ["sh", "-c", text.replace("curl ", "curl -s ", 1)] if kind == "curl" else [sys.executable, "-c", text]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    expected = answer_of(service, airline_models, 144)
    assert json.loads(said) == (expected if kind == "curl" else expected["forecast"])


def test_the_live_accuracy_is_beside_that_of_the_card(opened: Opener, service: Server) -> None:
    body = {"windows": [AIRLINE[-36:-12]], "actuals": [[*AIRLINE[-12:-1], None]]}
    httpx.post(f"{service.url}/score/airline", json=body).raise_for_status()
    (score,) = httpx.get(f"{service.url}/score/airline").json()["scores"]

    quality = opened(f"{service.url}/#airline").locator("#quality")

    expect(quality).to_contain_text("On the 60 held-out rows its first step was off by")
    expect(quality).to_contain_text(
        f"On {score['actuals']} actual values sent since the service started, all steps, it was"
    )
    expect(quality).to_contain_text(f"{round(100 * score['coverage']['80'])} % lay in the 80 % interval")


def test_details_have_the_residuals_the_errors_and_the_card(airline_page: Page, airline_models: Path) -> None:
    card = verify(airline_models, "airline", 1).card
    expect(airline_page.locator("#quality")).to_contain_text("On the 60 held-out rows its first step was off by")

    airline_page.click("text=Errors, residuals and the model card")

    expect(airline_page.locator("#residuals canvas")).to_be_visible()
    expect(airline_page.locator("#residuals-caption")).to_contain_text("60 held-out rows")
    expect(airline_page.locator("#errors tbody tr")).to_have_count(3)
    for fact in ("passengers", "monthly (MS)", "24 values", "12 ahead", "airline.csv", card.data.sha256):
        expect(airline_page.locator("#facts")).to_contain_text(fact)


def test_details_have_the_errors_of_each_step_their_spread_over_series_and_the_range_of_the_coverage(
    mlp_page: Page, service: Server
) -> None:
    def pooled(route: Route) -> None:
        found = route.fetch().json()
        errors = found["card"]["evaluation"]["model"] | {"smape": 12.5, "rmsse": 0.75}
        found["card"]["evaluation"] |= {"steps": [errors, errors | {"mae": 77}], "series": 30, "deviation": errors}
        found["card"]["intervals"]["coverage"] = [
            {"level": 80, "values": 60, "share": 0.9, "low": 0.5, "high": 1, "mean_width": 42}
        ]
        route.fulfill(json=found)

    page = mlp_page
    page.route("**/models/airline", pooled)
    page.goto(f"{service.url}/#airline")
    page.reload()  # only then the page looks at the name
    expect(page.locator("#answer .value")).to_have_count(2)
    page.click("text=Errors, residuals and the model card")

    heads = ["MAE", "RMSE", "largest error", "R²", "MASE", "sMAPE, %", "RMSSE"]
    rows = ["this version", "its step 1", "its step 2", "its standard deviation over 30 series"]
    expect(page.locator("#errors thead th")).to_have_text(heads)
    expect(page.locator("#errors tbody th")).to_have_text([*rows, "last value repeated", "linear regression"])
    expect(page.locator("#errors tbody tr").nth(2).locator("td").first).to_have_text("77")
    expect(page.locator("#facts")).to_contain_text("90 % of 60 values (by chance 50 to 100 %), 42 wide on average")


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(mlp_page: Page) -> None:
    def late_if_50(route: object, request: object) -> None:
        if "50" in (request.post_data or ""):  # type: ignore[attr-defined]  # Playwright's types have no protocol
            mlp_page.wait_for_timeout(900)
        route.continue_()  # type: ignore[attr-defined]

    mlp_page.route("**/forecast/mlp", late_if_50)
    mlp_page.fill("#data", "50")
    mlp_page.wait_for_timeout(400)
    mlp_page.fill("#data", "5")
    expect(mlp_page.locator("#answer .value")).to_have_text(re.compile(r"7\.(8|79999)"))
    mlp_page.wait_for_timeout(1200)

    expect(mlp_page.locator("#answer .value")).to_have_text(re.compile(r"7\.(8|79999)"))


def test_without_a_service_the_page_says_so(opened: Opener, service: Server) -> None:
    page = opened(f"{service.url}/#airline")
    expect(page.locator("#answer .value")).to_have_count(2)
    page.unroute_all()
    page.route("**/forecast/**", lambda route: route.fulfill(status=503, json={"detail": "the models are not loaded"}))
    page.focus("#end")
    page.keyboard.press("ArrowLeft")

    expect(page.locator("#problem")).to_have_text("the models are not loaded")
    expect(page.locator("#answer .value")).to_have_count(0)
    expect(page.locator("#result")).to_be_hidden()
