"""Client address behind a proxy: X-Forwarded-For is used only from trusted addresses."""

import json
from pathlib import Path

import httpx
import pytest

from service.settings import InvalidSettings, read_settings
from tests.server import running


def logged_client(folder: Path, trusted: str) -> str:
    """The client in the access log, for a request from 127.0.0.1 on behalf of 203.0.113.9."""
    with running(folder / "log", "--access-log", LAGCAST_TRUSTED_PROXIES=trusted) as server:
        httpx.get(f"{server.url}/models", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}).raise_for_status()
    events = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    (client,) = [e["client"] for e in events if e["logger"] == "lagcast.access" and "/models" in e["message"]]
    return str(client)


@pytest.mark.parametrize(
    ("trusted", "client"),
    [("", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("10.0.0.0/8,127.0.0.0/8", "203.0.113.9")],
    ids=["no proxy is trusted", "another one is trusted", "the proxy is trusted"],
)
def test_the_access_log_names_the_client_that_a_trusted_proxy_names(trusted: str, client: str, tmp_path: Path) -> None:
    assert logged_client(tmp_path, trusted) == client


def test_a_trusted_proxy_that_is_no_address_is_refused_by_its_name() -> None:
    with pytest.raises(
        InvalidSettings, match="--trusted-proxies: 'caddy' does not appear to be an IPv4 or IPv6 network"
    ):
        read_settings(["--trusted-proxies", "caddy"], "1")
