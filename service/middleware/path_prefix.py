"""Path prefix of a reverse proxy: `--root-path`, or X-Forwarded-Prefix from a trusted proxy."""

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

SANE_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
NO_SLASH = "lagcast.no_slash"  # the prefix was asked for alone: relative links on the page need a slash behind it
SCOPE_KEY = "lagcast.path_prefix"  # not root_path: Starlette's mounts expect that in the path too


class PathPrefix:
    """Takes the prefix off the path, whether or not the proxy has done so, and notes it for the documents.

    A proxy that sends X-Forwarded-Prefix has taken it off already. trusted: addresses or networks of proxies.
    """

    def __init__(self, app: ASGIApp, root_path: str, trusted: Sequence[str]) -> None:
        self._app = app
        self._root_path = root_path
        self._trusted = [ip_network(network, strict=False) for network in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, prefix = scope["path"], self._root_path
        scope[SCOPE_KEY] = self._forwarded(scope) or prefix
        if prefix and path == prefix:
            scope.update({"path": "/", "raw_path": b"/", NO_SLASH: True})
        elif prefix and path.startswith(f"{prefix}/"):
            raw = scope["raw_path"].removeprefix(prefix.encode())
            scope.update(path=path.removeprefix(prefix), raw_path=raw)
        await self._app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> str:
        """The prefix that a trusted proxy names, or nothing."""
        if not self._trusted or not self._is_trusted(scope.get("client")):
            return ""
        prefix = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
        return prefix if SANE_PREFIX.fullmatch(prefix) else ""

    def _is_trusted(self, client: tuple[str, int] | None) -> bool:
        try:
            address = ip_address(client[0] if client else "")
        except ValueError:
            return False  # a Unix socket has no address
        return any(address in network for network in self._trusted)
