"""The page and `/docs` below a path prefix, through a real nginx."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.server import free_port, running

pytestmark = pytest.mark.browser

# How the proxy passes the path on, and the options of the service.
PASSED = {
    "the proxy takes the prefix off": ("/", "", ()),
    "the proxy takes it off and names it": (
        "/",
        "proxy_set_header X-Forwarded-Prefix /team/lagcast;",
        ("--trusted-proxies", "127.0.0.1"),
    ),
    "the proxy leaves it": ("", "", ("--root-path", "/team/lagcast")),
}
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /team/lagcast/ {{ proxy_pass {url}{path}; {header} }}
  }}
}}
"""


@contextmanager
def proxied(folder: Path, url: str, path: str, header: str) -> Iterator[str]:
    """Start nginx in front of the service at `url`; the public URL of the service."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(program).exists(), "nginx is not installed (Debian: nginx)"
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, url=url, path=path, header=header))
    process = subprocess.Popen([program, "-e", str(folder / "error.log"), "-c", str(config)])
    try:
        below = f"http://127.0.0.1:{port}/team/lagcast"
        wait_for(f"{below}/health/live")
        yield below
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(url)


@pytest.mark.parametrize("how", PASSED)
def test_the_page_and_the_documents_work_below_a_path(
    opened: Opener, airline_models: Path, tmp_path: Path, how: str
) -> None:
    path, header, options = PASSED[how]
    with (
        running(tmp_path / "log", *options, models_dir=airline_models) as server,
        proxied(tmp_path, server.url, path, header) as below,
    ):
        page = opened(f"{below}/#airline")
        expect(page.locator("#answer .value")).to_have_count(2)
        expect(page.locator("#curl")).to_contain_text(f"curl '{below}/forecast/airline'")
        page.click("nav a")
        page.click(
            "#operations-tag-forecast ~ div .opblock-summary-control, [id*=forecast_airline] .opblock-summary-control"
        )
        page.click("text=Try it out")
        page.click("button.execute")

        expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
        expect(page.locator(".request-url").first).to_contain_text(f"{below}/forecast/airline")
        servers = httpx.get(f"{below}/openapi.json").json().get("servers")
        assert servers == (None if how == "the proxy takes the prefix off" else [{"url": "/team/lagcast"}])


def test_without_a_slash_at_its_end_the_path_leads_to_the_page(
    opened: Opener, airline_models: Path, tmp_path: Path
) -> None:
    with running(tmp_path / "log", "--root-path", "/lagcast", models_dir=airline_models) as server:
        page = opened(f"{server.url}/lagcast")

        expect(page.locator("#answer .value")).not_to_have_count(0)
        assert page.url.startswith(f"{server.url}/lagcast/#")
