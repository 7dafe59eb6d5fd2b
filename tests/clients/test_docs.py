"""The Python example of docs/protocols.md runs unchanged."""

import re
from typing import Any

import pytest

from tests.repository import CHECKOUT
from tests.server import Server

DOCS = (CHECKOUT / "docs" / "protocols.md").read_text()


@pytest.mark.filterwarnings("ignore:detect_anomalies")
def test_the_example_with_nixtla_s_client_gives_dated_forecasts_and_anomalies(
    dated: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    monkeypatch.chdir(CHECKOUT)
    found: dict[str, Any] = {}

    exec(example.replace("http://127.0.0.1:8000", dated.url), found)  # noqa: S102 - code from the documentation

    assert found["forecast"].ds.iloc[-1].isoformat() == "1961-12-01T00:00:00"
    assert "TimeGPT-lo-95" in found["forecast"]
    assert len(found["last_year"]) == 12
