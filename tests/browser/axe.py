"""axe-core: accessibility violations of a page."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from playwright.sync_api import Page


def axe() -> str:
    package = find_spec("axe_playwright_python")
    assert package is not None
    assert package.origin is not None
    return (Path(package.origin).parent / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    page.evaluate(axe())
    found: list[dict[str, Any]] = page.evaluate("axe.run()")["violations"]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in found]
