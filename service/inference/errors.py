"""Domain errors, independent of HTTP: `protocols/http_errors.py` maps them to statuses."""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import TypedDict


class Problem(TypedDict):
    """One error in a request body, in FastAPI's form, without the input itself."""

    type: str
    loc: list[str | int]
    msg: str


class ServiceError(Exception):
    """A request that cannot be answered; `detail` is the message for the client."""

    detail: str | Sequence[Problem]

    def __init__(self, detail: str | Sequence[Problem]) -> None:
        super().__init__(detail)
        self.detail = detail


class NotJSON(ServiceError):
    """The body is not JSON."""


class InvalidRequest(ServiceError):
    """The body is JSON, but not what this route takes."""

    detail: Sequence[Problem]


class BadInput(ServiceError):
    """The request is not in the form of its protocol, or its tensor is not one that the model takes."""


class PredictionOverflow(ServiceError):
    """The forecast for a row is beyond float32."""

    def __init__(self, row: int) -> None:
        super().__init__(f"The prediction for row {row} is beyond float32; send values nearer to the trained range")
        self.row = row


class UnknownModel(ServiceError):
    """No model has this name."""


class UnknownVersion(ServiceError):
    """The requested version is not kept."""


class UnsupportedMedia(ServiceError):
    """A content type or encoding that this route does not read."""


class NotReady(ServiceError):
    """The model is not live."""


class NotLoaded(NotReady):
    """The model is not loaded; `Lifecycle.load` loads it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not loaded yet")
        self.name = name


class Refusal(ServiceError):
    """A request that a limit refuses; `limit` names the limit in the metrics."""

    limit: ClassVar[str]


class Unauthorized(Refusal):
    """A key is needed, and it is missing or wrong."""

    limit = "api_key"


class BodyTooLarge(Refusal):
    """The body has more bytes than the process takes."""

    limit = "max_body_bytes"


class Overloaded(Refusal):
    """The maximum of concurrent requests is reached; subclass it, with its own `limit`, for another resource."""

    limit = "max_concurrency"


class TooManyColdLoads(Overloaded):
    """Too many models that are not loaded wait for one client."""

    limit = "cold_loads"


class DeadlineExceeded(Refusal):
    """The work on the request took longer than the deadline."""

    limit = "deadline_seconds"


class LevelOutOfReach(ServiceError):
    """A level for which the model's prediction intervals have too few calibration windows, or none at all.

    position: index of the level in the request.
    """

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(detail)
        self.position = position
