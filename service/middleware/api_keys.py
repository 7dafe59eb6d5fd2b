"""API keys: 401 without `Authorization: Bearer KEY` of a known key, except for the page, which asks for one."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.inference.admission import Keys
from service.inference.errors import Unauthorized
from service.middleware.unlimited import is_unlimited
from service.protocols.http_errors import to_response

PAGES = frozenset({"/", "/docs"})
PAGE_FILES = ("/static/", "/static-offline-docs/")


class ApiKeys:
    """Passes on requests with a key that is known, health checks, and requests for the page."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if not is_unlimited(scope) and not _is_page(scope):
                self._keys.check(Headers(scope=scope).get("authorization", ""))
        except Unauthorized as error:
            await to_response(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_page(scope: Scope) -> bool:
    """Whether a request is for the page, the API documentation, or a file of theirs: they ask the user for the key."""
    path: str = scope["path"]
    return scope["method"] in {"GET", "HEAD"} and (path in PAGES or path.startswith(PAGE_FILES))
