"""Codec of /score: request bytes with windows and actual values to response bytes with the errors per version."""

from collections.abc import Mapping, Sequence

import numpy as np

from artifact import ModelCard
from service.inference.errors import InvalidRequest, PredictionOverflow
from service.inference.loader import LiveModel
from service.inference.score import mean_errors, naive_error, score_versions
from service.inference.tally import Scores
from service.protocols.native.body import ScoreBody, score_body
from service.protocols.native.codec import overflow
from service.protocols.native.schemas import ErrorMeans, ScoreAnswer, SkippedVersion, VersionScore


def answer_score(live: LiveModel, others: Sequence[LiveModel], content: bytes, max_rows: int) -> bytes:
    """Response of POST /score/{name}: errors of the live and the other versions on up to `max_rows` rows.

    Raises NotJSON or InvalidRequest.
    """
    card = live.card
    body = score_body(card.input, card.window, card.steps, max_rows).parse(content)
    _check_rows(body)
    windows = np.array(body.content, np.float64).reshape(-1, card.window).astype(np.float32)
    actuals = np.array(body.actuals, np.float64)  # None becomes NaN
    try:
        scores, skipped = score_versions(live, others, windows, actuals)
    except PredictionOverflow as error:
        raise overflow([body.key(), error.row]) from None
    cards = {model.card.version: model.card for model in (live, *others)}
    answer = ScoreAnswer(
        model=card.name,
        version=card.version,
        scores=[version_score(cards[version], found) for version, found in scores.items()],
        skipped=[SkippedVersion(version=version, reason=reason) for version, reason in skipped.items()],
    )
    return answer.model_dump_json().encode()


def _check_rows(body: ScoreBody) -> None:
    windows, actuals = len(body.content), len(body.actuals)
    if windows != actuals:
        message = f"'{body.key()}' has {windows} rows and 'actuals' has {actuals}; they need one for each other"
        raise InvalidRequest([{"type": "rows_differ", "loc": ["body", "actuals"], "msg": message}])


def version_score(card: ModelCard, scores: Scores) -> VersionScore:
    """Convert error sums to MAE, RMSE, MASE and the coverage by level; None where there are no actual values."""
    means = mean_errors(scores)
    naive, (mae, rmse) = naive_error(card), means.get("model", (None, None))
    return VersionScore(
        version=card.version,
        actuals=scores.actuals,
        mae=mae,
        rmse=rmse,
        mase=mae / naive if naive and mae is not None else None,
        persistence=_baseline("persistence", scores, means),
        seasonal_naive=_baseline("seasonal_naive", scores, means),
        coverage={str(level): n / scores.actuals if scores.actuals else None for level, n in scores.covered.items()},
    )


def _baseline(name: str, scores: Scores, means: Mapping[str, tuple[float, float]]) -> ErrorMeans | None:
    if name not in scores.errors:
        return None
    mae, rmse = means.get(name, (None, None))
    return ErrorMeans(mae=mae, rmse=rmse)
