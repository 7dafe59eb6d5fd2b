"""The page and its files, and what they are allowed to do."""

import re

import httpx

from tests.repository import CHECKOUT

BROWSER = {"Accept": "text/html,*/*"}


def test_the_page_runs_nothing_but_its_own_files(client: httpx.Client) -> None:
    answer = client.get("/", headers=BROWSER)
    policy = answer.headers["content-security-policy"]

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|style=| on\w+=|//", answer.text.replace("</script>", ""))


def test_every_file_that_the_page_names_is_there(client: httpx.Client) -> None:
    named = re.findall(r'(?:src|href)="([^":]+)"', client.get("/", headers=BROWSER).text)

    assert {"static/page.css", "static/page.js", "docs", "metrics"} == set(named)
    assert {name: client.get(f"/{name}").status_code for name in named} == dict.fromkeys(named, 200)


def test_no_path_leads_out_of_the_files_of_the_page(client: httpx.Client) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"):
        assert client.get(path).status_code == 404

    assert CHECKOUT.joinpath("service", "app.py").exists()
