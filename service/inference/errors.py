"""Domain errors. They know nothing of HTTP: `protocols/http_errors.py` has the table from error to status."""

from collections.abc import Sequence

from typing_extensions import TypedDict


class Problem(TypedDict):
    """One thing that is wrong with a request's content, in FastAPI's shape, without the input itself."""

    type: str
    loc: list[str | int]
    msg: str


class ServiceError(Exception):
    """A request that cannot be answered as asked; `detail` is for the client."""

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
    """Not of an inference protocol's form, or not a tensor that the model takes."""


class PredictionOverflow(ServiceError):
    """The prediction for a row is beyond float32."""

    def __init__(self, row: int) -> None:
        super().__init__(f"The prediction for row {row} is beyond float32; send values nearer to the trained range")
        self.row = row


class UnknownModel(ServiceError):
    """No model of this name is served."""


class UnknownVersion(ServiceError):
    """The version that is asked for is not kept."""


class Unauthorized(ServiceError):
    """A key is needed, and it is missing or wrong."""


class BodyTooLarge(ServiceError):
    """More bytes than the process takes."""


class UnsupportedMedia(ServiceError):
    """A content type or encoding that this route does not read."""


class NotReady(ServiceError):
    """The model is not live."""


class Overloaded(ServiceError):
    """As many requests as allowed are at work."""


class DeadlineExceeded(ServiceError):
    """The work took too long."""


class LevelOutOfReach(ServiceError):
    """A level for which the model's prediction intervals have too few calibration windows, or none at all.

    position: of the level among those that were asked for.
    """

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(detail)
        self.position = position
