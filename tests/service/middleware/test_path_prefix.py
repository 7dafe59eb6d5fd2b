"""Path prefix: requests below it, with or without removal by the proxy, and the prefix in the documents."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import InvalidSettings, read_settings
from tests.server import running

VALUE = {"value": 5}


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service that a proxy serves below /team/forecasts; the client has a trusted address."""
    options = ("--root-path", "/team/forecasts", "--trusted-proxies", "10.0.0.0/8,127.0.0.1")
    log: Path = tmp_path_factory.mktemp("prefix") / "log"
    with running(log, *options) as server, httpx.Client(base_url=server.url) as client:
        yield client


@pytest.mark.parametrize("prefix", ["", "/team/forecasts"])
def test_a_request_is_answered_with_the_prefix_and_without_it(below: httpx.Client, prefix: str) -> None:
    assert below.post(f"{prefix}/predict/mlp", json=VALUE).json()["prediction"] == pytest.approx(7.8, rel=1e-4)
    assert below.get(f"{prefix}/static/main.js").status_code == 200
    assert below.get(f"{prefix}/health/ready").status_code == 200
    assert "text/html" in below.get(f"{prefix}/docs").headers["content-type"]


@pytest.mark.parametrize("path", ["/team", "/team/forecasts-of-others/health/live", "/team/forecastshealth/live"])
def test_another_path_is_not_taken_for_the_prefix(below: httpx.Client, path: str) -> None:
    assert below.get(path).status_code == 404


def test_the_prefix_alone_leads_to_the_page_below_which_relative_links_work(below: httpx.Client) -> None:
    answer = below.get("/team/forecasts")

    assert (answer.status_code, answer.headers["location"]) == (308, "/team/forecasts/")


@pytest.mark.parametrize(
    ("header", "server"),
    [
        ({}, "/team/forecasts"),
        ({"X-Forwarded-Prefix": "/other/"}, "/other"),
        ({"X-Forwarded-Prefix": "https://elsewhere.example"}, "/team/forecasts"),
        ({"X-Forwarded-Prefix": '/"><script>'}, "/team/forecasts"),
    ],
)
def test_the_document_names_the_prefix_as_its_server(below: httpx.Client, header: dict[str, str], server: str) -> None:
    assert below.get("/openapi.json", headers=header).json()["servers"] == [{"url": server}]


def test_the_header_of_a_proxy_that_is_not_trusted_says_nothing(tmp_path: Path) -> None:
    header = {"X-Forwarded-Prefix": "/other"}

    with running(tmp_path / "log", "--trusted-proxies", "10.0.0.0/8") as server:
        assert "servers" not in httpx.get(f"{server.url}/openapi.json", headers=header).json()


@pytest.mark.parametrize(
    ("option", "value"), [("--root-path", "/a/"), ("--root-path", "a"), ("--trusted-proxies", "proxy.example")]
)
def test_a_prefix_or_a_proxy_that_is_none_is_refused_by_its_option(option: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"^{option}: "):
        read_settings([option, value], "0")
