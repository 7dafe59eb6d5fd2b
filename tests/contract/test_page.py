"""The page, its static files and their Content-Security-Policy."""

import re

import httpx
import pytest

from tests.repository import CHECKOUT

BROWSER = {"Accept": "text/html,*/*"}
STATIC = CHECKOUT / "service/web/static"
PAGES = {"/": "index.html", "/docs": "docs.html"}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_but_its_own_files(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    policy = answer.headers["content-security-policy"]

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|style=| on\w+=|//", answer.text.replace("</script>", ""))


@pytest.mark.parametrize("path", PAGES)
def test_every_file_that_a_page_names_is_there_and_below_it(client: httpx.Client, path: str) -> None:
    named = re.findall(r'(?:src|href)="([^":]+)"', client.get(path, headers=BROWSER).text)

    assert named
    assert not [name for name in named if name.startswith("/")]
    assert {name: client.get(f"/{name}").status_code for name in named} == dict.fromkeys(named, 200)


def test_every_module_that_another_one_imports_is_there() -> None:
    modules = {path.name: path.read_text() for path in STATIC.glob("*.js")}
    imported = {name for text in modules.values() for name in re.findall(r'from "\./([\w.]+)"', text)}

    assert imported | {"main.js", "docs.js"} == modules.keys()


def test_a_browser_asks_again_for_every_file_and_is_told_that_it_has_it(client: httpx.Client) -> None:
    first = client.get("/static/main.js")
    again = client.get("/static/main.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


def test_libraries_have_their_licences_beside_them() -> None:
    listed = re.findall(r"^\| `([^|]+)` \|", (STATIC / "vendor/README.md").read_text(), re.MULTILINE)
    files = {file for row in listed for file in row.replace("`", "").split(", ")}

    assert {path.name for path in (STATIC / "vendor").iterdir()} == files | {
        "README.md",
        "uplot.LICENSE.txt",
        "papaparse.LICENSE.txt",
    }
    for licence in (STATIC / "vendor").glob("*.LICENSE.txt"):
        assert "Permission is hereby granted, free of charge" in licence.read_text()


def test_no_path_leads_out_of_the_files_of_the_page(client: httpx.Client) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"):
        assert client.get(path).status_code == 404

    assert CHECKOUT.joinpath("service", "app.py").exists()
