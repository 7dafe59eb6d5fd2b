"""`answer_together`: several requests for one model, whose single rows the network forecasts in one run."""

from collections.abc import Sequence

from artifact import Batch
from service.inference.forecast import Answering, Response, examine, finish
from service.inference.loader import LiveModel


def answer_together(model: LiveModel, answerings: Sequence[Answering[Response]]) -> list[Response | None]:
    """Responses to requests, the same as `answer` gives to each of them alone, and counted as there.

    None for a request that raises any error: run alone, it raises it again. Raises what the engine raises for the
    single rows, and has counted nothing then.
    """
    asked = [_windows(answering) for answering in answerings]
    single = [windows for windows in asked if windows is not None and len(windows) == 1]
    values = iter(model.engine.predict_each(single) if single else ())
    return [
        None if windows is None else _respond(model, answering, windows, next(values) if len(windows) == 1 else None)
        for answering, windows in zip(answerings, asked, strict=True)
    ]


def _windows(answering: Answering[Response]) -> Batch | None:
    try:
        return next(answering)
    except Exception:  # noqa: BLE001  # whoever runs it alone gets it again
        return None


def _respond(model: LiveModel, answering: Answering[Response], windows: Batch, values: Batch | None) -> Response | None:
    try:
        values = model.engine.predict(windows) if values is None else values
        return finish(model, answering, examine(model, windows, values))
    except Exception:  # noqa: BLE001  # as above
        return None
