"""HTTP client of the service: the card of a model, and /score."""

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from training.values import Values

SECONDS = 60  # more than the default deadline of a service
LONGEST_ANSWER = 500  # maximum number of characters of an error shown


class ServiceError(OSError):
    """The service does not answer, or refuses a request; the message says where and why."""


class Client:
    """A service at `url`. key: sent as `Authorization: Bearer KEY` if there is one."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def card(self, model: str) -> dict[str, Any]:
        """The card of the live version. Raises ServiceError."""
        card: dict[str, Any] | None = self._ask(f"/models/{quote(model)}")["card"]
        if card is None:
            raise ServiceError(f"{self._url}: no version of {model} can be served")
        return card

    def score(self, model: str, key: str, windows: Values, actuals: Values) -> dict[str, Any]:
        """The errors of each version. key: the JSON key of the windows. Raises ServiceError."""
        known = [[None if value != value else value for value in row] for row in actuals.tolist()]  # noqa: PLR0124 - NaN
        return self._ask(f"/score/{quote(model)}", {key: windows.tolist(), "actuals": known})

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, content, self._headers)  # noqa: S310 - the config lets only http(s) pass
        try:
            with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except HTTPError as error:
            raise ServiceError(f"{self._url}{path}: {error.code}: {_detail(error)}") from None
        except URLError as error:
            raise ServiceError(f"{self._url} does not answer: {error.reason}") from None
        except ValueError:
            raise ServiceError(f"{self._url}{path} does not answer with JSON: is this a lagcast service?") from None


def _detail(error: HTTPError) -> str:
    """The error message of the service: its `detail`, or the messages of a list of errors with their places."""
    text = error.read().decode(errors="replace")
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, LookupError, TypeError):
        return text[:LONGEST_ANSWER]
    if isinstance(detail, list):
        detail = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in detail)
    return str(detail)[:LONGEST_ANSWER]
