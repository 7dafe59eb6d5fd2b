"""The service, cut short after a stage of a single prediction, to show where the time goes.

`python -m benchmarks.candidates.stages STAGE OPTION...`: the options are those of `python -m service`.
"""

import sys
from collections.abc import Sequence

import numpy as np

from artifact import Batch
from service.__main__ import main
from service.inference.engine import LiteRTEngine
from service.inference.forecast import Answering
from service.inference.loader import LiveModel
from service.protocols.native import routes
from service.protocols.paths import PREDICT
from service.protocols.protocol import Single

WINDOW = np.arange(5, dtype=np.float32).reshape(1, 5)
FORECAST = np.full((1, 1), 7.8, np.float32)


def echo(_: LiveModel, content: bytes) -> Answering[bytes]:
    """The body, instead of its prediction."""
    yield WINDOW
    return content


class Constant(LiteRTEngine):
    """Gives the same forecast for each row, alone or together."""

    def predict(self, _: Batch) -> Batch:
        return FORECAST

    def predict_each(self, rows: Sequence[Batch]) -> Sequence[Batch]:
        return [FORECAST] * len(rows)


def cut_before_parsing() -> None:
    """Only the connection and the lane: head, limits, request id, metrics, tally, response."""
    cut_before_litert()
    routes.SINGLES[:] = [Single(PREDICT, "", echo, frozenset({b"content-encoding"}))]


def cut_before_litert() -> None:
    """Everything except the network, whose forecast is a constant."""
    LiteRTEngine.predict, LiteRTEngine.predict_each = Constant.predict, Constant.predict_each  # type: ignore[method-assign, assignment]  # that is what a cut is


STAGES = {"connection": cut_before_parsing, "parsing": cut_before_litert}


if __name__ == "__main__":
    STAGES[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
